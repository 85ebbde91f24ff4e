//! Given / when / then for templates.

use cqrs_es::test::TestFramework;
use serde_json::{Value, json};

use super::*;
use crate::{
    decider::EventSourced,
    ids::{Position, UserId},
    raw_json::RawJson,
};

type Given = TestFramework<EventSourced<TemplateCatalogue>>;

fn template(name: &str, status: &str, text: &str) -> Template {
    Template {
        name: name.into(),
        language: "en".into(),
        id: Some(format!("id of {name}")),
        category: "UTILITY".into(),
        components: RawJson::from(&json!([{"type": "BODY", "text": text}])),
        namespace: String::new(),
        rejected_reason: "NONE".into(),
        status: status.into(),
    }
}

fn seen(name: &str, status: &str, text: &str) -> TemplateCatalogueEvent {
    TemplateSeen { template: template(name, status, text) }.into()
}

fn synchronise(listed: Vec<Template>, as_of: i64) -> TemplateCatalogueCommand {
    TemplateCatalogueCommand::Synchronise { listed, as_of: Position(as_of) }
}

fn report(name: &str, id: &str, status: &str) -> TemplateCatalogueCommand {
    TemplateCatalogueCommand::ReportStatus {
        name: name.into(),
        language: "en".into(),
        id: Some(id.into()),
        status: status.into(),
        rejected_reason: "NONE".into(),
    }
}

fn changed(name: &str, id: &str, status: &str) -> TemplateCatalogueEvent {
    let (name, language, status) = (name.into(), "en".into(), status.into());
    TemplateStatusChanged { name, language, id: Some(id.into()), status, rejected_reason: "NONE".into() }.into()
}

#[test]
fn a_list_is_recorded_by_its_differences() {
    let gone = TemplateGone { name: "b".into(), language: "en".into() };
    Given::with(())
        .given(vec![seen("a", "approved", "1"), seen("b", "approved", "1"), seen("c", "pending", "1")])
        .when(synchronise(
            vec![template("a", "approved", "1"), template("c", "approved", "1"), template("d", "rejected", "1")],
            3,
        ))
        .then_expect_events(vec![seen("c", "approved", "1"), seen("d", "rejected", "1"), gone.into()]);
}

#[test]
fn an_unchanged_list_appends_nothing_whatever_the_order_of_its_keys() {
    let mut same = template("a", "approved", "1");
    same.components = RawJson::parse(r#"[ {"text" : "1", "type":"BODY"} ]"#.into()).expect("JSON");
    Given::with(())
        .given(vec![seen("a", "approved", "1")])
        .when(synchronise(vec![same.clone(), same], 1))
        .then_expect_events(vec![]);
}

#[test]
fn what_happened_after_the_question_is_newer_than_the_list() {
    let deleted = TemplateDeleted { name: "b".into(), done_by: UserId(1) };
    let created = TemplateCreated { template: template("c", "pending", "1"), done_by: UserId(1) };
    Given::with(())
        .given(vec![
            seen("a", "pending", "1"),
            seen("b", "approved", "1"),
            changed("a", "id of a", "approved"),
            deleted.into(),
            created.into(),
        ])
        .when(synchronise(vec![template("a", "pending", "1"), template("b", "approved", "1")], 2))
        .then_expect_events(vec![]);
}

#[test]
fn a_notice_changes_a_status_once() {
    let known = || Given::with(()).given(vec![seen("a", "pending", "1")]);
    known().when(report("a", "id of a", "approved")).then_expect_events(vec![changed("a", "id of a", "approved")]);
    known().when(report("a", "id of a", "pending")).then_expect_events(vec![]);
    known().when(report("a", "id of a", "flagged")).then_expect_events(vec![]);
    known().when(report("a", "of an older one", "deleted")).then_expect_events(vec![]);
    known().when(report("a", "id of a", "reinstated")).then_expect_events(vec![changed("a", "id of a", "approved")]);
}

#[test]
fn a_notice_may_overtake_the_answer_to_the_creation() {
    let create = TemplateCatalogueCommand::Create { template: template("a", "pending", "1"), done_by: UserId(1) };
    let created = |status| TemplateCreated { template: template("a", status, "1"), done_by: UserId(1) }.into();
    Given::with(())
        .given(vec![changed("a", "id of a", "approved")])
        .when(create.clone())
        .then_expect_events(vec![created("approved")]);
    Given::with(())
        .given(vec![changed("a", "of an older one", "approved")])
        .when(create)
        .then_expect_events(vec![created("pending")]);
}

#[test]
fn a_deletion_takes_all_languages_and_only_what_is_there() {
    let delete = TemplateCatalogueCommand::Delete { name: "a".into(), done_by: UserId(1) };
    let deleted = TemplateDeleted { name: "a".into(), done_by: UserId(1) };
    Given::with(())
        .given(vec![seen("a", "approved", "1")])
        .when(delete.clone())
        .then_expect_events(vec![deleted.clone().into()]);
    for before in [vec![], vec![changed("a", "x", "approved")], vec![seen("a", "approved", "1"), deleted.into()]] {
        Given::with(()).given(before).when(delete.clone()).then_expect_error(TemplateCatalogueRefusal::Unknown);
    }
}

#[test]
fn r_msg_3_a_template_is_read_with_its_parameters_in_place() {
    let components = json!([
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hi {{1}}, {{ 2 }} of {{name}} {{3}} {{"},
        {"type": "FOOTER", "text": "Bye"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}]},
    ]);
    let sent = json!({"components": [
        {"type": "header", "parameters": [{"type": "text", "text": "77"}]},
        {"type": "body", "parameters": [
            {"type": "text", "text": "{{2}}"},
            {"type": "currency", "currency": {"fallback_value": "5 EUR"}},
        ]},
    ]});
    let text = rendered(&components, &sent);
    assert_eq!(text.as_deref(), Some("Order 77\nHi {{2}}, 5 EUR of {{name}} {{3}} {{\nBye\nStop"));
    let named = json!({"components": [{"type": "BODY", "parameters": [{"parameter_name": "name", "text": "Rui"}]}]});
    let text = rendered(&json!([{"type": "body", "text": "Hi {{name}}"}]), &named);
    assert_eq!(text.as_deref(), Some("Hi Rui"));
    assert_eq!(rendered(&json!([{"type": "HEADER", "format": "IMAGE"}]), &Value::Null), None);
}
