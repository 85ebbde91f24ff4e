//! Contract §B: a provider's key instead of a token, decided by the tenant's own key or by the provider.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use chatledger_domain::Role;

use super::{NOT_PROVIDED, credential};
use crate::harness::{http::Answer, inbox::Inbox};

impl Inbox {
    fn channel_key(&self) -> String {
        self.sandbox_state()["access_token"].as_str().expect("the sandbox has one").to_owned()
    }

    async fn with_key(&self, key: &str, headers: &[(&str, &str)]) -> Answer {
        self.raw("GET", "users/current/", &[&[("D360-Api-Key", key)], headers].concat(), "").await
    }

    pub async fn user_is(&self, username: &str, change: &str) {
        let sql = format!("UPDATE read_models.users SET {change} WHERE username = '{username}'");
        sqlx::query(&sql).execute(&self.pool).await.expect("the database answers");
    }

    /// Switches provider keys of the sandbox's tenant on or off, as its settings say. The server looks every 5 seconds.
    async fn take_keys(&self, on: bool) {
        let settings = format!(r#"{{"free_entry_window":false,"provider_authentication":{on}}}"#);
        let sql = "UPDATE read_models.tenants SET settings = $1::json";
        sqlx::query(sql).bind(settings).execute(&self.pool).await.expect("the database answers");
        tokio::time::sleep(Duration::from_millis(5_500)).await;
    }
}

fn said(answer: &Answer) -> (u16, &str) {
    (answer.status, &answer.text)
}

#[tokio::test]
async fn r_auth_1_and_5_the_key_of_the_tenants_channel_is_the_admin_before_all_else() {
    let inbox = Inbox::start().await;
    let key = inbox.channel_key();
    assert_eq!(inbox.with_key(&key, &[]).await.expect(200)["username"], "admin");
    // Key, then token: even one that is none is not looked at any more.
    let token = credential(&inbox.agent);
    for sent in [&*token, "Token nobody's"] {
        assert_eq!(inbox.with_key(&key, &[("Authorization", sent)]).await.expect(200)["username"], "admin");
    }
    // R-AUTH-7: a key that is none is as if it were not there.
    let almost = format!("{key}0");
    for bad in ["nobody's", &almost, "", &"x".repeat(600), &key[1..]] {
        assert_eq!(said(&inbox.with_key(bad, &[]).await), (403, NOT_PROVIDED), "{bad}");
        assert_eq!(inbox.with_key(bad, &[("Authorization", &token)]).await.expect(200)["username"], "agent");
        let invalid = (403, r#"{"detail":"Invalid token."}"#);
        assert_eq!(said(&inbox.with_key(bad, &[("Authorization", "Token x")]).await), invalid);
    }
}

#[tokio::test]
async fn r_auth_5_a_key_is_for_the_inbox_of_its_number_only() {
    let inbox = Inbox::start().await;
    let key = inbox.channel_key();
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let boss = inbox.add_user_to("acme", "boss", Role::Admin).await;
    let (acme, demo, host) = (("X-Tenant", "acme"), ("X-Tenant", "demo"), ("Host", "acme.example"));
    assert_eq!(inbox.with_key(&key, &[demo]).await.expect(200)["username"], "admin");
    assert_eq!(inbox.with_key("a token", &[acme]).await.expect(200)["id"], boss.id.0);
    assert_eq!(inbox.with_key("a token", &[host, demo]).await.expect(200)["id"], boss.id.0);
    for headers in [&[acme][..], &[host], &[]] {
        assert_eq!(said(&inbox.with_key(&key, headers).await), (403, NOT_PROVIDED), "{headers:?}");
    }
}

#[tokio::test]
async fn r_auth_6_the_first_admin_acts_else_the_active_one_with_the_lowest_id() {
    let inbox = Inbox::start().await;
    let key = inbox.channel_key();
    let second = inbox.add_user("second", Role::Admin).await;
    let who = async || inbox.with_key(&key, &[]).await;
    assert_eq!(who().await.expect(200)["username"], "admin");
    // The agent is younger than the first admin and older than the second.
    inbox.user_is("agent", "role = 'admin'").await;
    assert_eq!(who().await.expect(200)["username"], "admin");
    for gone in ["deactivated = true", "deactivated = false, role = 'user'"] {
        inbox.user_is("admin", gone).await;
        assert_eq!(who().await.expect(200)["username"], "agent", "{gone}");
    }
    inbox.user_is("agent", "role = 'user'").await;
    assert_eq!(who().await.expect(200)["id"], second.id.0);
    inbox.user_is("second", "deactivated = true").await;
    assert_eq!(said(&who().await), (403, NOT_PROVIDED));
    let token = credential(&inbox.bot);
    assert_eq!(inbox.with_key(&key, &[("Authorization", &token)]).await.expect(200)["username"], "bot");
}

#[tokio::test]
async fn r_auth_6_an_older_user_who_became_admin_later_is_not_the_first() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let elder = inbox.add_user_to("acme", "elder", Role::User).await;
    let founder = inbox.add_user_to("acme", "founder", Role::Admin).await;
    assert!(elder.id < founder.id);
    inbox.user_is("elder", "role = 'admin'").await;
    let who = async || inbox.with_key("a token", &[("X-Tenant", "acme")]).await.expect(200)["username"].clone();
    assert_eq!(who().await, "founder");
    inbox.user_is("founder", "deactivated = true").await;
    assert_eq!(who().await, "elder");
}

#[tokio::test]
async fn r_auth_8_a_tenant_can_switch_keys_off() {
    let inbox = Inbox::start().await;
    let key = inbox.channel_key();
    assert_eq!(inbox.with_key(&key, &[]).await.status, 200, "on unless told otherwise");
    inbox.take_keys(false).await;
    assert_eq!(said(&inbox.with_key(&key, &[]).await), (403, NOT_PROVIDED));
    inbox.take_keys(true).await;
    assert_eq!(inbox.with_key(&key, &[]).await.status, 200);
}

/// A provider that takes `good` for the sandbox's number, and counts how often it was asked.
struct RealProvider {
    url: String,
    asked: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl RealProvider {
    async fn start() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let (tell, told) = std::sync::mpsc::channel();
        let count = asked.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let answer = move |request: HttpRequest, number: web::Path<String>| {
                    count.fetch_add(1, Ordering::SeqCst);
                    async move {
                        let key = request.headers().get("d360-api-key").and_then(|key| key.to_str().ok());
                        match key.unwrap_or_default() {
                            "slow" => {
                                tokio::time::sleep(Duration::from_secs(20)).await;
                                HttpResponse::Ok().finish()
                            }
                            "broken" => HttpResponse::InternalServerError().finish(),
                            "elsewhere" => HttpResponse::Found().insert_header(("Location", "/ok/1")).finish(),
                            "good" if number.as_str() == "106540352242922" => HttpResponse::Ok().finish(),
                            _ => HttpResponse::Unauthorized().finish(),
                        }
                    }
                };
                let app = move || App::new().route("/ok/{number}", web::get().to(answer.clone()));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a port");
                let address = server.addrs()[0];
                let server = server.run();
                tell.send((address, server.handle())).expect("the test waits");
                server.await.expect("served");
            });
        });
        let (address, handle) = tokio::task::spawn_blocking(move || told.recv()).await.expect("a thread").expect("up");
        Self { url: format!("http://{address}/ok/{{phone_number_id}}"), asked, handle }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn r_auth_5_and_7_the_provider_is_asked_once_for_a_key_and_need_not_answer() {
    let provider = RealProvider::start().await;
    let url = provider.url.clone();
    let inbox = Inbox::start_with(|config| config.provider_url = Some(url)).await;
    for _ in 0..3 {
        assert_eq!(inbox.with_key("good", &[]).await.expect(200)["username"], "admin");
    }
    assert_eq!(provider.asked(), 1, "a yes is remembered");
    // The tenant's own key is none any more, where the provider does not take it.
    let own = inbox.channel_key();
    for _ in 0..3 {
        assert_eq!(said(&inbox.with_key(&own, &[]).await), (403, NOT_PROVIDED));
    }
    assert_eq!(provider.asked(), 2, "so is a no");
    // A good key is good for its number, not for every inbox.
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    inbox.add_user_to("acme", "boss", Role::Admin).await;
    assert_eq!(said(&inbox.with_key("good", &[("X-Tenant", "acme")]).await), (403, NOT_PROVIDED));
    assert_eq!(inbox.with_key("good", &[("X-Tenant", "demo")]).await.status, 200);
    let demo = ("X-Tenant", "demo");
    for key in ["broken", "elsewhere"] {
        assert_eq!(said(&inbox.with_key(key, &[demo]).await), (403, NOT_PROVIDED), "{key}");
    }
    let since = Instant::now();
    let token = credential(&inbox.agent);
    assert_eq!(said(&inbox.with_key("slow", &[demo]).await), (403, NOT_PROVIDED));
    let slow = inbox.with_key("slow", &[demo, ("Authorization", &token)]).await;
    assert_eq!(slow.expect(200)["username"], "agent");
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    // Gone altogether: what is remembered still holds.
    provider.handle.stop(false).await;
    assert_eq!(said(&inbox.with_key("new", &[demo]).await), (403, NOT_PROVIDED));
    assert_eq!(inbox.with_key("new", &[demo, ("Authorization", &token)]).await.status, 200);
    assert_eq!(inbox.with_key("good", &[demo]).await.status, 200);
}
