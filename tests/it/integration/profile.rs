//! Contract §K: the business profile and the line under the name.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FORBIDDEN, credential, keys};
use crate::harness::inbox::Inbox;

const PATH: &str = "settings/business/profile/";
const ABOUT: &str = "settings/profile/about/";

fn whole() -> Value {
    json!({
        "address": "Rua Augusta 1", "description": "Shoes", "email": "hello@acme.example",
        "vertical": "Clothing and Apparel", "websites": ["https://acme.example", "https://shop.acme.example/x"],
        "about": "Open 9 to 18",
    })
}

/// How many events of the business profile there are.
async fn recorded(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events WHERE aggregate_type = 'BusinessProfile'").await
}

/// Waits until the refresh that somebody issued is over.
async fn refreshed(inbox: &Inbox) {
    for _ in 0..200 {
        let status = inbox.page(&inbox.agent, "settings/refresh/status/").await;
        assert_eq!(keys(&status.to_string()), "currently_refreshing");
        if status["currently_refreshing"] == false {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the refresh does not end");
}

/// Changes the profile at WhatsApp, as its own manager does; the whole profile there.
async fn at_whatsapp(inbox: &Inbox, change: Value) -> Value {
    let url = format!("{}/simulator/profiles", inbox.simulator_url);
    let changes = json!({ &inbox.phone_number_id: change });
    let answer = inbox.http.raw.post(url).json(&changes).send().await.expect("an answer");
    let profiles: Value = answer.json().await.expect("JSON");
    profiles[&inbox.phone_number_id].clone()
}

#[tokio::test]
async fn the_profile_is_set_whole_and_in_part_and_shown_to_everybody() {
    let inbox = Inbox::start().await;
    let unset = json!({"address": "", "description": "", "email": "", "vertical": "", "websites": [], "about": ""});
    assert_eq!(inbox.page(&inbox.bot, PATH).await, unset);
    let answer = inbox.put(&inbox.admin, PATH, whole()).await;
    assert_eq!(keys(&answer.text), "address description email vertical websites about");
    assert_eq!(answer.expect(200), whole());
    assert_eq!(inbox.page(&inbox.bot, PATH).await, whole());
    // A part leaves the rest; codes and labels are one vertical.
    let mut expected = whole();
    expected["vertical"] = "Beauty, Spa and Salon".into();
    expected["websites"] = json!([]);
    let part = json!({"vertical": "BEAUTY", "websites": [], "unknown": 1});
    assert_eq!(inbox.patch(&inbox.admin, PATH, part).await.expect(200), expected);
    assert_eq!(inbox.page(&inbox.agent, PATH).await, expected);
    // WhatsApp has it too, by its own code.
    let told = at_whatsapp(&inbox, json!({})).await;
    assert_eq!((&told["vertical"], &told["about"]), (&json!("BEAUTY"), &json!("Open 9 to 18")));
    // The same again is no news.
    let before = recorded(&inbox).await;
    inbox.patch(&inbox.admin, PATH, json!({"vertical": "BEAUTY"})).await.expect(200);
    inbox.patch(&inbox.admin, PATH, json!({})).await.expect(200);
    assert_eq!(recorded(&inbox).await, before);
}

#[tokio::test]
async fn what_does_not_fit_a_profile_is_refused_before_whatsapp_is_asked() {
    let inbox = Inbox::start().await;
    let required = json!(["This field is required."]);
    let body = inbox.put(&inbox.admin, PATH, json!({"email": "a@b.example"})).await.expect(400);
    assert_eq!((&body["address"], &body["vertical"]), (&required, &required));
    for (change, field, told) in [
        (json!({"email": "nobody"}), "email", json!(["Enter a valid email address."])),
        (json!({"vertical": "Farming"}), "vertical", json!(["\"Farming\" is not a valid choice."])),
        (json!({"about": ""}), "about", json!(["This field may not be blank."])),
        (json!({"about": "a".repeat(140)}), "about", json!(["Ensure this field has no more than 139 characters."])),
        (json!({"websites": "x"}), "websites", json!(["Expected a list of items but got type \"str\"."])),
        (json!({"websites": ["x"]}), "websites", json!({"0": ["Enter a valid URL."]})),
        (json!({"websites": null}), "websites", json!(["This field may not be null."])),
        (json!({"description": {}}), "description", json!(["Not a valid string."])),
        (json!({"address": "a\0b"}), "address", json!(["Null characters are not allowed."])),
    ] {
        let body = inbox.patch(&inbox.admin, PATH, change).await.expect(400);
        assert_eq!(body[field], told);
        assert!(body["reason"].is_string());
    }
    let body = inbox.patch(&inbox.admin, ABOUT, json!({"text": " "})).await.expect(400);
    assert_eq!(body["text"], json!(["This field may not be blank."]));
    let body = inbox.patch(&inbox.admin, ABOUT, json!({})).await.expect(400);
    assert_eq!(body["text"], required);
    assert_eq!(recorded(&inbox).await, 0);
}

#[tokio::test]
async fn the_line_under_the_name_is_part_of_the_profile() {
    let inbox = Inbox::start().await;
    let answer = inbox.patch(&inbox.admin, ABOUT, json!({"text": "Olá"})).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"text":"Olá"}"#));
    let told = inbox.page(&inbox.bot, ABOUT).await;
    assert_eq!(told, json!({"settings": {"profile": {"about": {"text": "Olá"}}}}));
    assert_eq!(inbox.page(&inbox.bot, PATH).await["about"], "Olá");
}

#[tokio::test]
async fn r_gen_4_a_form_changes_the_profile_as_json_does() {
    let inbox = Inbox::start().await;
    let form = "email=a%40b.example&vertical=AUTO&websites=%5B%22https%3A%2F%2Fa.example%22%5D";
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let multipart =
        [part("vertical", "EDU"), part("websites", r#"["https://b.example"]"#), "--x--\r\n".to_owned()].concat();
    for (content_type, body, vertical, website) in [
        ("application/x-www-form-urlencoded", form, "Automotive", "https://a.example"),
        ("multipart/form-data; boundary=x", multipart.as_str(), "Education", "https://b.example"),
    ] {
        let headers = [("Content-Type", content_type), ("Authorization", &*credential(&inbox.admin))];
        let answer = inbox.raw("PATCH", PATH, &headers, body).await.expect(200);
        assert_eq!((&answer["vertical"], &answer["websites"]), (&json!(vertical), &json!([website])));
        assert_eq!(answer["email"], "a@b.example");
    }
}

#[tokio::test]
async fn r_set_1_only_admins_change_the_profile() {
    let inbox = Inbox::start().await;
    for by in [&inbox.agent, &inbox.bot] {
        for answer in [
            inbox.put(by, PATH, whole()).await,
            inbox.patch(by, PATH, json!({})).await,
            inbox.patch(by, ABOUT, json!({"text": "x"})).await,
        ] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
        inbox.page(by, PATH).await;
        inbox.page(by, ABOUT).await;
        assert_eq!(inbox.post(by, "settings/refresh/issue/", json!({})).await.status, 202);
    }
    refreshed(&inbox).await;
}

#[tokio::test]
async fn without_whatsapp_nothing_changes_and_nothing_is_recorded() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"account": {"status": 503}})).await;
    let away = json!({"reason": "WhatsApp cannot be reached at the moment."});
    // Nothing is known yet.
    assert_eq!(inbox.get(&inbox.agent, PATH).await.expect(503), away);
    assert_eq!(inbox.get(&inbox.agent, ABOUT).await.expect(503), away);
    inbox.behave(json!({"account": {}})).await;
    inbox.put(&inbox.admin, PATH, whole()).await.expect(200);
    let before = recorded(&inbox).await;
    for (behaviour, status) in
        [(json!({"status": 503}), 503), (json!({"status": 500, "bare": true}), 503), (json!({"cut": true}), 502)]
    {
        inbox.behave(json!({"account": behaviour})).await;
        for answer in [
            inbox.patch(&inbox.admin, PATH, json!({"email": "new@acme.example"})).await,
            inbox.patch(&inbox.admin, ABOUT, json!({"text": "new"})).await,
        ] {
            assert_eq!(answer.status, status, "{}", answer.text);
            assert_eq!(keys(&answer.text), "reason");
        }
    }
    // What WhatsApp refuses is told in its words.
    inbox.behave(json!({"account": {"code": 100}})).await;
    let refused = inbox.patch(&inbox.admin, PATH, json!({"email": "new@acme.example"})).await.expect(400);
    assert_eq!(refused["reason"], "WhatsApp refused the request: Invalid parameter");
    assert_eq!(refused["waba_response"]["errors"][0]["code"], 100);
    // What is known is still shown.
    assert_eq!(inbox.page(&inbox.agent, PATH).await, whole());
    assert_eq!(recorded(&inbox).await, before);
}

#[tokio::test]
async fn a_whatsapp_that_does_not_answer_is_504() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, PATH).await;
    inbox.behave(json!({"account": {"delay_ms": 30_000}})).await;
    let answer = inbox.patch(&inbox.admin, ABOUT, json!({"text": "new"})).await;
    assert_eq!(answer.expect(504), json!({"reason": "WhatsApp did not answer in time."}));
}

#[tokio::test]
async fn a_refresh_brings_what_was_changed_at_whatsapp() {
    let inbox = Inbox::start().await;
    inbox.put(&inbox.admin, PATH, whole()).await.expect(200);
    let before = recorded(&inbox).await;
    let issue = inbox.post(&inbox.agent, "settings/refresh/issue/", json!({})).await;
    assert_eq!((issue.status, issue.text.as_str()), (202, "{}"));
    refreshed(&inbox).await;
    assert_eq!(recorded(&inbox).await, before);
    at_whatsapp(&inbox, json!({"email": "other@acme.example"})).await;
    assert_eq!(inbox.page(&inbox.agent, PATH).await, whole());
    inbox.post(&inbox.agent, "settings/refresh/issue/", json!({})).await.expect(202);
    refreshed(&inbox).await;
    assert_eq!(inbox.page(&inbox.agent, PATH).await["email"], "other@acme.example");
    assert_eq!(recorded(&inbox).await, before + 1);
}

#[tokio::test]
async fn what_is_old_is_looked_at_anew_behind_the_scenes() {
    let inbox = Inbox::start_with(|config| config.refresh_after_minutes = 60).await;
    inbox.page(&inbox.agent, PATH).await;
    at_whatsapp(&inbox, json!({"email": "other@acme.example"})).await;
    assert_eq!(inbox.page(&inbox.agent, PATH).await["email"], "");
    let old = "UPDATE outbound.refreshes SET refreshed_at = now() - interval '61 minutes', \
               begun_at = now() - interval '61 minutes'";
    sqlx::query(old).execute(&inbox.pool).await.expect("the database answers");
    inbox.page(&inbox.agent, PATH).await;
    for _ in 0..200 {
        if inbox.page(&inbox.agent, PATH).await["email"] == "other@acme.example" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody looked");
}

#[tokio::test]
async fn r_gen_1_each_tenant_has_its_own_profile() {
    let inbox = Inbox::start().await;
    inbox.put(&inbox.admin, PATH, whole()).await.expect(200);
    inbox.add_tenant("other", "other.example", "100000000000777").await;
    let eva = inbox.add_user_to("other", "eva", chatledger_domain::Role::Admin).await;
    // Its number is none of WhatsApp's.
    let answer = inbox.get(&eva, PATH).await;
    assert!([400, 502, 503].contains(&answer.status), "{}", answer.text);
    assert!(!answer.text.contains("acme"), "{}", answer.text);
}
