//! R-OUT-8 and S4 at the moment of a call: what may not be called gets no packet.

use super::{super::*, world::*};
use crate::addresses::{Rules, forbidden::FORBIDDEN};

const HERE: &[&str] = &["127.0.0.0/8"];

/// Names that lead to forbidden places.
fn known() -> Names {
    let names = Names::default();
    names.lead("crm.acme.example", &["93.184.216.34"]);
    names.lead("private.example", &["10.1.2.3"]);
    names.lead("mixed.example", &["93.184.216.34", "127.0.0.1"]);
    names.lead("mixed6.example", &["93.184.216.34", "::ffff:169.254.169.254"]);
    names.lead("localhost", &["127.0.0.1", "::1"]);
    names
}

fn is_refused(outcome: &Outcome) -> bool {
    outcome.status.is_none() && outcome.error.as_ref().is_some_and(|error| error.starts_with("not called: "))
}

#[tokio::test]
async fn r_out_8_s4_no_notation_of_a_forbidden_place_is_called() {
    let caller = caller(Rules::default(), &known());
    for (why, addresses) in FORBIDDEN {
        for address in *addresses {
            let outcome = caller.hit(*address).await;
            assert_eq!(outcome.error, Some(format!("not called: {why}")), "{address:?}");
        }
    }
}

/// The same with somebody listening, who hears nothing; and hears of the same notations where the operator allows it,
/// so that the silence is the guard's.
#[tokio::test]
async fn r_out_8_s4_a_forbidden_listener_gets_no_packet_in_any_notation() {
    let listener = Listener::start("127.0.0.1").await;
    let (names, port) = (known(), listener.port);
    names.lead("localhost", &["127.0.0.1"]);
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "LOCALHOST.",
        "ⓛocalhost",
    ];
    let (strict, lenient) =
        (caller(Rules { allow_http: true, ..Rules::default() }, &names), caller(allow(HERE), &names));
    let others = ["0", "0.0.0.0", "[::]", "[::1]", "[64:ff9b::7f00:1]", "[::7f00:1]", "mixed.example", "crm@127.0.0.1"];
    for host in hosts.iter().chain(&others) {
        for scheme in ["http", "HTTP", "https"] {
            let outcome = strict.hit(format!("{scheme}://{host}:{port}/")).await;
            assert!(is_refused(&outcome), "{host}: {outcome:?}");
        }
    }
    assert_eq!(listener.connections(), 0);
    for host in hosts {
        let outcome = lenient.hit(format!("http://{host}:{port}/")).await;
        assert!(outcome.is_success(), "{host}: {outcome:?}");
    }
    assert_eq!(listener.requests().len(), hosts.len());
}

#[tokio::test]
async fn r_out_8_s4_this_server_its_database_and_the_hosts_of_tenants_are_not_called() {
    let (own, database) = (Listener::start("127.0.0.1").await, Listener::start("127.0.0.2").await);
    let own_addresses = [("127.0.0.1", own.port), ("127.0.0.2", database.port)];
    let own_addresses = own_addresses.map(|(ip, port)| format!("{ip}:{port}").parse().expect("an address")).into();
    let names = known();
    for name in ["me.example", "inbox.example", "www.example"] {
        names.lead(name, &["127.0.0.1"]);
    }
    names.lead("db.example", &["127.0.0.2"]);
    let rules = Rules { own_addresses, own_hosts: vec!["www.example".to_owned()], ..allow(HERE) };
    let caller = caller(rules, &names);
    let free = Listener::start("127.0.0.1").await;
    for url in [
        format!("http://127.0.0.1:{}/", own.port),
        format!("http://[::ffff:127.0.0.1]:{}/", own.port),
        format!("http://me.example:{}/", own.port),
        format!("http://127.0.0.2:{}/", database.port),
        format!("http://db.example:{}/", database.port),
        // A tenant's host, and the server's own name: whatever port they are asked at.
        format!("http://inbox.example:{}/", free.port),
        format!("http://INBOX.example.:{}/", free.port),
        format!("http://www.example:{}/", free.port),
    ] {
        let outcome = caller.hit(&*url).await;
        assert!(is_refused(&outcome), "{url}: {outcome:?}");
    }
    assert_eq!(own.connections() + database.connections() + free.connections(), 0);
    assert!(caller.hit(format!("http://me.example:{}/", free.port)).await.is_success());
}

#[tokio::test]
async fn r_out_3_redirects_are_not_followed_and_fail() {
    let forbidden = Listener::start("127.0.0.1").await;
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: http://127.0.0.1:{0}/\r\nrefresh: 0; url=http://127.0.0.1:{0}/\r\n\
             content-length: 0\r\n\r\n",
            forbidden.port
        );
        let listener = Listener::answering("127.0.0.2", answer.leak().as_bytes()).await;
        let outcome = caller(allow(&["127.0.0.2/32"]), &Names::default())
            .hit(format!("http://127.0.0.2:{}/", listener.port))
            .await;
        assert_eq!((outcome.status, outcome.is_success()), (Some(status), false));
        assert_eq!(listener.requests().len(), 1);
    }
    assert_eq!(forbidden.connections(), 0);
}

/// What the test beneath runs with a proxy in its environment.
#[tokio::test]
async fn calls_go_straight_to_the_receiver() {
    let listener = Listener::start("127.0.0.1").await;
    let caller = caller(allow(HERE), &Names::default());
    assert!(caller.hit(format!("http://127.0.0.1:{}/", listener.port)).await.is_success());
    let limits = Limits { head: Duration::from_millis(500), ..Limits::DELIVERY };
    let https = target(format!("https://127.0.0.1:{}/", listener.port));
    assert!(!caller.call_within(&https, Uuid::nil(), 1, "{}".into(), limits).await.is_success());
    assert_eq!(listener.connections(), 2, "TLS is tried at the receiver as well");
}

#[tokio::test]
async fn s4_a_proxy_in_the_environment_does_not_matter() {
    let proxy = Listener::start("127.0.0.1").await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let mut child = tokio::process::Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "deliveries::caller::tests::addresses::calls_go_straight_to_the_receiver"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, &url);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().await.expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(proxy.connections(), 0);
}
