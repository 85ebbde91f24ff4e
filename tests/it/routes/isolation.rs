//! R-GEN-1, R-ERR-3: what is another tenant's is answered, byte for byte, as what is not there.

use std::collections::{BTreeMap, BTreeSet};

use chatledger_domain::Role;
use reqwest::Method;
use serde_json::json;

use super::{
    cases::{Case, Placeholder, cases},
    things::{Kind, Side, Things, fresh},
};
use crate::harness::{
    http::Answer,
    inbox::{Inbox, now, text_message},
};

const NUMBER: &str = "990000000000001";

/// What an answer looks like once the id that was asked for is taken out.
type Shown = (u16, String, Vec<(String, String)>);

/// Two tenants on one server: ours asks, theirs is asked for.
async fn sides(inbox: &Inbox) -> (Side<'_>, Side<'_>) {
    inbox.add_tenant_with_account("acme", "acme.example", NUMBER).await;
    let boss = inbox.add_user_to("acme", "boss", Role::Admin).await;
    let ours = Side { inbox, admin: inbox.admin.clone(), number: inbox.phone_number_id.clone() };
    let theirs = Side { inbox, admin: boss, number: NUMBER.to_owned() };
    // Ids on the wire are positions: theirs have to be out of the range of ours, or a foreign id would be an own one.
    for _ in 0..40 {
        let chat = format!("3518{:08}", fresh());
        let message = |n| text_message(&chat, &format!("wamid.padding{chat}.{n}"), now(), "padding");
        let value = json!({"messages": (0..100).map(message).collect::<Vec<_>>()});
        let call = inbox.call(value).to_string().replace(&inbox.phone_number_id, NUMBER);
        assert_eq!(inbox.deliver(&call).await.status, 200);
    }
    inbox.settle().await;
    (ours, theirs)
}

/// Fills a case's placeholders.
async fn filled(
    ours: &Side<'_>,
    own: &mut Things,
    case: &Case,
    probe: &BTreeMap<Kind, String>,
) -> (String, Option<String>) {
    let (mut path, mut body) = (case.path.clone(), case.body.clone());
    for placeholder in case.placeholders() {
        let value = match placeholder {
            Placeholder::Probed(kind) => probe[&kind].clone(),
            Placeholder::Own(kind) => ours.id(own, kind).await,
            Placeholder::New => format!("new{}", fresh()),
        };
        path = path.replace(&placeholder.text(), &value);
        body = body.map(|body| body.replace(&placeholder.text(), &value));
    }
    (path, body)
}

async fn ask(ours: &Side<'_>, case: &Case, path: &str, body: Option<&str>) -> Answer {
    let body = body.map(|body| serde_json::from_str(body).unwrap_or_else(|e| panic!("{}: {e}: {body}", case.name())));
    let method: Method = case.route.method.parse().expect("a method");
    ours.inbox.http.call(method, path, Some(&ours.admin.token), body).await
}

fn shown(answer: &Answer, probe: &BTreeMap<Kind, String>) -> Shown {
    let mut text = answer.text.clone();
    for id in probe.values() {
        text = text.replace(id.as_str(), "?");
    }
    text = without_new_ids(&text);
    // `connection`: whether all of the body had arrived when the answer was clear.
    let differs = ["date", "x-request-id", "content-length", "connection"];
    let headers = answer.headers.iter().filter(|(name, _)| !differs.contains(&name.as_str()));
    let headers =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    (answer.status, text, headers.collect())
}

/// Ids that the answer itself has made differ from one answer to the next.
fn without_new_ids(text: &str) -> String {
    let word = |word: &str| {
        let is_new = word.starts_with("wamid.") || uuid::Uuid::try_parse(word).is_ok();
        if is_new { "new".to_owned() } else { word.to_owned() }
    };
    text.split('"').map(word).collect::<Vec<_>>().join("\"")
}

/// All rows of a tenant in the read models, and the head of its ledger.
async fn state(inbox: &Inbox, slug: &str) -> BTreeMap<String, String> {
    let tenant = chatledger_domain::TenantId::of_slug(slug).0;
    let mut state = BTreeMap::new();
    let tables = chatledger_projections::tables().into_iter().flat_map(|(_, tables)| tables);
    for table in tables.map(|table| format!("read_models.{table}")).chain(["ledger.heads".to_owned()]) {
        let sql = format!(
            "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t WHERE tenant_id = $1"
        );
        let hash: String = sqlx::query_scalar(&sql).bind(tenant).fetch_one(&inbox.pool).await.expect("a hash");
        state.insert(table, hash);
    }
    state
}

#[tokio::test]
async fn r_gen_1_and_r_err_3_every_endpoint_answers_foreign_ids_as_unknown_ones() {
    let inbox = Inbox::start_with(|config| config.sandbox_requests_per_minute = 0).await;
    let (ours, theirs) = sides(&inbox).await;
    let (mut own, mut foreign, mut gone) = (Things::default(), Things::default(), Things::default());
    let mut deleted = BTreeMap::new();
    let kinds: BTreeSet<Kind> = cases().iter().flat_map(Case::probed).collect();
    for kind in kinds {
        theirs.id(&mut foreign, kind).await;
        ours.id(&mut own, kind).await;
        let mut one = Things::default();
        if ours.delete(&mut one, kind).await {
            deleted.insert(kind, ours.id(&mut one, kind).await);
        }
        gone = one;
    }
    drop(gone);
    // WhatsApp decides on new templates a little later, of its own accord.
    while inbox.count("SELECT count(*) FROM read_models.templates WHERE status <> 'approved'").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    inbox.settle().await;
    let before = state(&inbox, "acme").await;
    let mut wrong = Vec::new();
    for case in cases() {
        let probed = case.probed();
        let absent: BTreeMap<Kind, String> = probed.iter().map(|kind| (*kind, kind.absent().to_owned())).collect();
        let mut others = BTreeMap::new();
        for kind in &probed {
            others.insert(*kind, theirs.id(&mut foreign, *kind).await);
        }
        let (path, body) = filled(&ours, &mut own, &case, &absent).await;
        let unknown = ask(&ours, &case, &path, body.as_deref()).await;
        let unknown = shown(&unknown, &absent);
        let (path, body) = filled(&ours, &mut own, &case, &others).await;
        let answer = ask(&ours, &case, &path, body.as_deref()).await;
        if answer.text.contains("canary")
            && !case.path.contains("my ")
            && mentions(&answer.text, &theirs, &mut foreign).await
        {
            wrong.push(format!("{}: another's content is shown: {}", case.name(), answer.text));
        }
        let other = shown(&answer, &others);
        if !probed.is_empty() && other != unknown {
            wrong.push(format!("{}: foreign {other:?}\n    unknown {unknown:?}", case.name()));
        }
        if probed.iter().all(|kind| deleted.contains_key(kind)) && !probed.is_empty() {
            let past: BTreeMap<Kind, String> = probed.iter().map(|kind| (*kind, deleted[kind].clone())).collect();
            let (path, body) = filled(&ours, &mut own, &case, &past).await;
            let ended = shown(&ask(&ours, &case, &path, body.as_deref()).await, &past);
            if (ended != unknown) != case.remembers {
                wrong.push(format!("{}: deleted {ended:?}\n    unknown {unknown:?}", case.name()));
            }
        }
        // The case must be able to tell: what is ours is answered otherwise.
        if !probed.is_empty() && !case.is_blind {
            let (mut mine, mut things) = (BTreeMap::new(), Things::default());
            for kind in &probed {
                mine.insert(*kind, ours.id(&mut things, *kind).await);
            }
            let (path, body) = filled(&ours, &mut things, &case, &mine).await;
            let there = shown(&ask(&ours, &case, &path, body.as_deref()).await, &mine);
            if there.0 >= 500 || (there.0, &there.1) == (unknown.0, &unknown.1) {
                wrong.push(format!("{}: our own is answered as if it were not there: {there:?}", case.name()));
            }
        }
    }
    inbox.settle().await;
    let after = state(&inbox, "acme").await;
    assert_eq!(before, after, "the other tenant was changed");
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether an answer shows what a customer of the other tenant is called or wrote.
async fn mentions(text: &str, theirs: &Side<'_>, foreign: &mut Things) -> bool {
    for kind in [Kind::Text, Kind::Customer] {
        let canary = theirs.id(foreign, kind).await;
        if text.contains(&canary) {
            return true;
        }
    }
    false
}
