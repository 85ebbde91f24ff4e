//! Deliveries in the operator's hands: `webhooks …` and `deliveries …`.

use serde_json::{Value, json};

use super::log::{ANA, Made, RUI};
use crate::{
    harness::inbox::{Inbox, now},
    inbound::cli,
};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[tokio::test]
async fn the_operator_lists_shows_and_replays_deliveries() {
    let inbox = Inbox::start().await;
    let (_, id) = inbox.hook_of(&inbox.agent).await;
    let dead = inbox.put_delivery(id, 1_000, Made { made_at: 1_767_693_600, ..Made::default() }).await.to_string();
    let delivered =
        inbox.put_delivery(id, 1_001, Made { state: "delivered", wa_id: ANA, ..Made::default() }).await.to_string();
    let hook = id.to_string();
    let run = async |arguments: &[&str]| cli(&inbox, inbox.data_dir(), arguments).await;
    let (ok, said) = run(&["deliveries", "list", &hook]).await;
    assert!(ok && said.contains("2 of 2 delivery(s)") && said.contains("2026-01-06 10:00:00"), "{said}");
    let filters = ["--chat", RUI, "--state", "dead", "--since", "2026-01-06T10:00:00Z", "--before", "1767693601"];
    let (ok, said) = run(&[&["deliveries", "list", &hook, "--json"][..], &filters].concat()).await;
    assert!(ok && lines(&said).len() == 1 && lines(&said)[0]["id"] == json!(dead), "{said}");
    let (ok, said) = run(&["deliveries", "show", &dead]).await;
    assert!(ok && said.contains("503") && said.contains(r#"{"incoming_messages": [{"n":  1000.0}]}"#), "{said}");
    assert!(said.contains(r"try later \0"), "what a stranger answers steers no terminal: {said}");
    let (ok, said) = run(&["deliveries", "show", &delivered, "--json"]).await;
    assert!(ok && lines(&said)[0]["log"][0]["status"] == 503, "{said}");
    let (ok, said) = run(&["deliveries", "replay", &hook]).await;
    assert!(!ok && said.contains("--chat"), "nothing is not everything: {said}");
    let (ok, said) = run(&["deliveries", "replay", &hook, "--chat", ANA, "--json"]).await;
    assert!(ok && lines(&said)[0] == json!({"replayed": 0}), "{said}");
    let (ok, said) = run(&["deliveries", "replay", &hook, "--since", "1767693600"]).await;
    assert!(ok && said.contains("1 to be made again"), "{said}");
    let (ok, said) = run(&["deliveries", "replay", &hook, "--id", &delivered]).await;
    assert!(ok && said.contains("1 to be made again"), "{said}");
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.deliveries WHERE state = 'pending'").await, 2);
    for wrong in [
        &["deliveries", "list", "987654321"][..],
        &["deliveries", "list", &hook, "--tenant", "nobody"],
        &["deliveries", "list", &hook, "--since", "yesterday"],
        &["deliveries", "list", &hook, "--chat", "?"],
        &["deliveries", "show", "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11"],
    ] {
        let (ok, said) = run(wrong).await;
        assert!(!ok && said.contains("error"), "{wrong:?}: {said}");
    }
}

#[tokio::test]
async fn the_operator_sees_and_enables_a_disabled_webhook() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    inbox.put_delivery(id, 1_000, Made { state: "pending", ..Made::default() }).await;
    let since = now() - 5 * 86_400;
    inbox.disable_webhook(id, since).await;
    let run = async |arguments: &[&str]| cli(&inbox, inbox.data_dir(), arguments).await;
    let (ok, said) = run(&["webhooks", "list"]).await;
    assert!(
        ok && said.contains("disabled") && said.contains("http://127.0.0.1:18080") && said.contains("agent"),
        "{said}"
    );
    assert!(!said.contains("/hook"), "an address may hold a secret: {said}");
    let (ok, said) = run(&["webhooks", "list", "--tenant", "demo", "--json"]).await;
    let line = &lines(&said)[0];
    assert!(ok && line["state"] == "disabled" && line["pending"] == 1 && line["failing_since"] == since, "{said}");
    let (ok, said) = run(&["webhooks", "enable", &id.to_string(), "--replay"]).await;
    assert!(ok && said.contains("enabled; to be delivered: 1, given up: 0"), "{said}");
    inbox.settle().await;
    assert_eq!(inbox.get(&inbox.agent, &format!("{hook}status/")).await.expect(200)["state"], "enabled");
    let (ok, said) = run(&["webhooks", "enable", &id.to_string()]).await;
    assert!(ok && said.contains("it is not disabled"), "{said}");
    let (ok, said) = run(&["webhooks", "enable", "987654321"]).await;
    assert!(!ok && said.contains("no webhook has the id 987654321"), "{said}");
}
