//! A sandbox of one test's own: the real server on its own database, with the simulator and three users.

use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use chatledger_api::bootstrap::{Config, Login, Sandbox, Tools};
use chatledger_application::{tenants::NewTenant, users::NewUser};
use chatledger_domain::{
    Role, TenantId,
    whatsapp_account::{Channel, Number},
};
use chatledger_infrastructure::postgres::connect;
use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    http::{Answer, Client},
    postgres::{TestDatabase, database},
};

/// A running sandbox. Dropping it stops it.
pub struct Inbox {
    pub http: Client,
    /// For assertions on tables; the server has its own.
    pub pool: PgPool,
    pub database_url: String,
    pub simulator_url: String,
    pub tenant: Uuid,
    pub admin: Login,
    pub agent: Login,
    pub bot: Login,
    pub app_secret: String,
    pub verify_token: String,
    pub channel_secret: String,
    pub phone_number_id: String,
    data: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A message of a customer, as Cloud's webhook carries it.
pub fn text_message(from: &str, id: &str, timestamp: i64, body: &str) -> Value {
    json!({"from": from, "id": id, "timestamp": timestamp.to_string(), "type": "text", "text": {"body": body}})
}

/// A contact object.
pub fn contact(wa_id: &str, name: &str) -> Value {
    json!({"profile": {"name": name}, "wa_id": wa_id})
}

/// Now, in POSIX seconds.
pub fn now() -> i64 {
    Utc::now().timestamp()
}

impl Inbox {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a folder"));
        Self::start_on(database().await, data, change).await
    }

    /// Another server on the same database: knows only what is in there.
    pub async fn beside(&self) -> Self {
        self.beside_with(|_| {}).await
    }

    /// Another one with other settings.
    pub async fn beside_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let url = self.database_url.clone();
        let pool = connect(&url, 4).expect("a URL");
        Self::start_on(TestDatabase { pool, url }, self.data.clone(), change).await
    }

    async fn start_on(database: TestDatabase, data: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::load(None).expect("the defaults are valid");
        config.listen = "127.0.0.1:0".to_owned();
        config.database_url = Some(database.url.clone());
        config.max_connections = 10;
        config.workers = 1;
        config.farewell_ms = 0;
        config.rate_per_number = 10_000;
        // All tests come from one address; those of the limit set it.
        config.failed_authentications_per_minute = 0;
        config.data_dir = data.path().to_string_lossy().into_owned();
        change(&mut config);
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        // A runtime of its own: the server outlives awaits of the test and is stopped whole.
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
                tell.send(Facts::of(&sandbox)).expect("the test waits");
                let _ = stopped.await;
                sandbox.stop().await;
            });
        });
        let facts = tokio::task::spawn_blocking(move || told.recv()).await.expect("a thread").expect("a sandbox");
        Self {
            http: Client::new(facts.base_url),
            pool: database.pool,
            database_url: database.url,
            simulator_url: facts.simulator_url,
            tenant: facts.tenant,
            admin: facts.admin,
            agent: facts.agent,
            bot: facts.bot,
            app_secret: facts.app_secret,
            verify_token: facts.verify_token,
            channel_secret: facts.channel_secret,
            phone_number_id: facts.phone_number_id,
            data,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// The operator's tools, beside the running server.
    pub async fn tools(&self) -> Tools {
        let mut config = Config::load(None).expect("the defaults are valid");
        config.database_url = Some(self.database_url.clone());
        config.max_connections = 4;
        config.data_dir = self.data.path().to_string_lossy().into_owned();
        Tools::open_with_key(config).await.expect("the tools open beside the server")
    }

    /// Another user of the sandbox's own tenant.
    pub async fn add_user(&self, username: &str, role: Role) -> Login {
        self.add_user_to("demo", username, role).await
    }

    /// A user of a tenant.
    pub async fn add_user_to(&self, slug: &str, username: &str, role: Role) -> Login {
        let (tools, tenant) = (self.tools().await, TenantId::of_slug(slug));
        let group = tools.built_in_group(tenant, role).await.expect("an answer").expect("a built-in group");
        let password = format!("{username} and a password");
        let [first_name, last_name, email] = ["", "", ""].map(str::to_owned);
        let new =
            NewUser { username: username.to_owned(), first_name, last_name, email, role, password: password.clone() };
        let (id, token) = tools.application.create_active_user(tenant, group, new).await.expect("a user");
        tools.close().await;
        Login { id, username: username.to_owned(), password, token }
    }

    /// Another tenant with a number of its own, known to the server when this returns.
    pub async fn add_tenant(&self, slug: &str, host: &str, phone_number_id: &str) {
        self.add_tenant_at(slug, host, phone_number_id, None, "a token").await;
    }

    /// The same with a number that the simulator knows, so that the tenant can send and has templates of its own.
    pub async fn add_tenant_with_account(&self, slug: &str, host: &str, phone_number_id: &str) {
        let (account, token) = (format!("8{phone_number_id}"), format!("token of {slug}"));
        let number = json!({"phone_number_id": phone_number_id, "display_phone_number": "351220000000",
                            "waba_id": account, "access_token": token});
        let url = format!("{}/simulator/numbers", self.simulator_url);
        let answer = self.http.raw.post(url).json(&number).send().await.expect("the simulator answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
        self.add_tenant_at(slug, host, phone_number_id, Some(account), &token).await;
    }

    async fn add_tenant_at(
        &self,
        slug: &str,
        host: &str,
        phone_number_id: &str,
        waba_id: Option<String>,
        access_token: &str,
    ) {
        let (tools, tenant) = (self.tools().await, TenantId::of_slug(slug));
        let new = NewTenant { slug: slug.to_owned(), name: slug.to_owned(), hosts: vec![host.to_owned()] };
        tools.application.create_tenant(new).await.expect("a tenant");
        let number = Number {
            phone_number_id: phone_number_id.to_owned(),
            display_phone_number: "+351220000000".to_owned(),
            channel: Channel::Cloud,
            waba_id,
        };
        tools.application.connect_account(tenant, number, access_token).await.expect("connected");
        tools.close().await;
        // The server may have looked just before, and looks again after a second.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }

    /// The body of a Cloud call with this value in one change of field `messages`.
    pub fn call(&self, value: Value) -> Value {
        let mut full = json!({"messaging_product": "whatsapp", "metadata": {
            "display_phone_number": "351210000000", "phone_number_id": self.phone_number_id}});
        full.as_object_mut().expect("an object").extend(value.as_object().expect("an object").clone());
        json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [
            {"field": "messages", "value": full}]}]})
    }

    /// Delivers a signed body as Meta does.
    pub async fn deliver(&self, body: &str) -> Answer {
        self.http.signed(&self.app_secret, body.as_bytes().to_vec()).await
    }

    /// Delivers a value as [`Self::call`] makes it, and wants 200.
    pub async fn bring(&self, value: Value) {
        let answer = self.deliver(&self.call(value).to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A customer writes now; WhatsApp's id of the message. Readable when this returns.
    pub async fn customer_writes(&self, from: &str, text: &str) -> String {
        self.customer_wrote(from, text, now()).await
    }

    /// A customer wrote at a time.
    pub async fn customer_wrote(&self, from: &str, text: &str, timestamp: i64) -> String {
        let id = format!("wamid.{}", Uuid::new_v4().simple());
        let message = text_message(from, &id, timestamp, text);
        self.bring(json!({"contacts": [contact(from, &format!("Customer {from}"))], "messages": [message]})).await;
        self.settle().await;
        id
    }

    /// A status of a message comes.
    pub async fn status(&self, id: &str, wa_id: &str, status: &str, timestamp: i64) {
        let status = json!({"id": id, "recipient_id": wa_id, "status": status, "timestamp": timestamp.to_string()});
        self.bring(json!({"statuses": [status]})).await;
        self.settle().await;
    }

    /// Waits until the read models have seen everything recorded so far.
    pub async fn settle(&self) {
        for _ in 0..2_000 {
            let behind: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM ledger.heads h LEFT JOIN read_models.cursors c USING (tenant_id)
                  WHERE h.head_position > coalesce(c.position, 0)",
            )
            .fetch_one(&self.pool)
            .await
            .expect("the database answers");
            if behind == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the read models did not catch up within 10 s");
    }

    pub async fn get(&self, by: &Login, path: &str) -> Answer {
        self.http.call(Method::GET, path, Some(&by.token), None).await
    }

    pub async fn post(&self, by: &Login, path: &str, body: Value) -> Answer {
        self.http.call(Method::POST, path, Some(&by.token), Some(body)).await
    }

    pub async fn put(&self, by: &Login, path: &str, body: Value) -> Answer {
        self.http.call(Method::PUT, path, Some(&by.token), Some(body)).await
    }

    pub async fn patch(&self, by: &Login, path: &str, body: Value) -> Answer {
        self.http.call(Method::PATCH, path, Some(&by.token), Some(body)).await
    }

    pub async fn delete(&self, by: &Login, path: &str) -> Answer {
        self.http.call(Method::DELETE, path, Some(&by.token), None).await
    }

    /// Tells the simulator to misbehave.
    pub async fn behave(&self, behaviour: Value) {
        let url = format!("{}/simulator/behaviour", self.simulator_url);
        let answer = self.http.raw.post(url).json(&behaviour).send().await.expect("the simulator answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// What the simulator has delivered to customers.
    pub async fn delivered(&self) -> Value {
        let url = format!("{}/simulator/messages", self.simulator_url);
        self.http.raw.get(url).send().await.expect("the simulator answers").json().await.expect("JSON")
    }

    /// What the sandbox keeps in its data folder: its secrets.
    pub fn sandbox_state(&self) -> Value {
        let text = std::fs::read_to_string(self.data.path().join("sandbox.json")).expect("a sandbox has a file");
        serde_json::from_str(&text).expect("JSON")
    }

    /// How many events a request has led to.
    pub async fn recorded_by(&self, request_id: &str) -> i64 {
        let sql = "SELECT count(*) FROM ledger.events WHERE metadata->>'correlation_id' = $1";
        sqlx::query_scalar(sql).bind(request_id).fetch_one(&self.pool).await.expect("the database answers")
    }

    /// A number out of the database.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("the database answers")
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the sandbox failed");
        }
    }
}

struct Facts {
    base_url: String,
    simulator_url: String,
    tenant: Uuid,
    admin: Login,
    agent: Login,
    bot: Login,
    app_secret: String,
    verify_token: String,
    channel_secret: String,
    phone_number_id: String,
}

impl Facts {
    fn of(sandbox: &Sandbox) -> Self {
        Self {
            base_url: sandbox.server.base_url.clone(),
            simulator_url: sandbox.simulator_url.clone(),
            tenant: sandbox.tenant.0,
            admin: sandbox.admin.clone(),
            agent: sandbox.agent.clone(),
            bot: sandbox.bot.clone(),
            app_secret: sandbox.secrets.app_secret.clone(),
            verify_token: sandbox.secrets.verify_token.clone(),
            channel_secret: sandbox.channel_secret.clone(),
            phone_number_id: sandbox.secrets.phone_number_id.clone(),
        }
    }
}
