//! R-WHK-4: where calls may go, at the doors where addresses are set. Notation by notation it is tested beside the guard.

use serde_json::{Value, json};

use crate::harness::inbox::Inbox;

const ENGINE: &str = "settings/rule_engine/";

/// Every door that takes an address, with a bad one.
async fn tell_all(inbox: &Inbox, url: &str) -> [Value; 3] {
    let engine = json!({"mode": "custom", "url": url});
    let (agent, admin) = (&inbox.agent, &inbox.admin);
    let own = inbox.page(admin, "webhooks/waba/").await["results"][0]["id"].clone();
    [
        inbox.post(agent, "webhooks/waba/", json!({ "url": url })).await.expect(400),
        inbox.patch(admin, &format!("webhooks/waba/{own}/"), json!({ "url": url })).await.expect(400),
        inbox.put(admin, ENGINE, engine).await.expect(400),
    ]
}

#[tokio::test]
async fn r_whk_4_places_that_may_not_be_called_are_refused() {
    // Not the sandbox's leave to call this machine, but another network.
    let inbox = Inbox::start_with(|config| {
        config.allow_nets = vec!["192.0.2.0/24".parse().expect("a network")];
        config.allow_http = false;
    })
    .await;
    inbox.post(&inbox.admin, "webhooks/waba/", json!({"url": "https://192.0.2.7/hook"})).await.expect(201);
    let events = inbox.count("SELECT count(*) FROM ledger.events").await;
    let place = "The address leads to a place that may not be called.";
    let cases = [
        ("https://127.0.0.1/hook", Some(place)),
        ("https://2130706433/", Some(place)),
        ("https://localhost/hook?auth=x", Some(place)),
        ("https://10.0.0.8/", Some(place)),
        ("https://169.254.169.254/latest/meta-data/", Some(place)),
        ("https://[::1]/", Some(place)),
        ("https://[::ffff:192.168.0.1]/", Some(place)),
        ("http://192.0.2.7/", Some("The address must begin with https://.")),
        ("ftp://192.0.2.7/", Some("The address must begin with https://.")),
        ("https://user:password@192.0.2.7/", Some("The address must not hold a user name or password.")),
        ("https://192.0.2.7:5432/", Some("This port is not allowed.")),
        ("https://192.0.2.7:22/", Some("This port is not allowed.")),
        ("https://no-such-host.invalid/", Some("The host cannot be found.")),
        ("https://192.0.2.7\\@127.0.0.1/", None),
        ("192.0.2.7/hook", None),
    ];
    for (url, why) in cases {
        for told in tell_all(&inbox, url).await {
            let texts: Vec<&str> = ["Enter a valid URL."].into_iter().chain(why).collect();
            assert_eq!(told, json!({"url": texts, "reason": "url: Enter a valid URL."}), "{url}");
        }
    }
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, events);
}

#[tokio::test]
async fn r_whk_4_this_server_is_never_called_by_itself() {
    let inbox = Inbox::start_with(|config| {
        config.allow_http = true;
        config.allow_nets = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network")).into();
    })
    .await;
    let (_, port) = inbox.http.base_url.rsplit_once(':').expect("a port");
    inbox.post(&inbox.admin, "webhooks/waba/", json!({"url": "http://localhost:18080/"})).await.expect(201);
    for host in ["127.0.0.1", "2130706433", "127.1", "localhost"] {
        for told in tell_all(&inbox, &format!("http://{host}:{port}/hook")).await {
            assert_eq!(told["url"][0], "Enter a valid URL.", "{host}");
        }
    }
    // Nor under the name of one of its inboxes.
    inbox.add_tenant("other", "localhost", "5555").await;
    for told in tell_all(&inbox, "http://LOCALHOST.:18080/").await {
        assert_eq!(told["url"][0], "Enter a valid URL.");
    }
}
