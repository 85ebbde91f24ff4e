//! Everything around the sender, as a test wants it.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    access_tokens::{AccessTokens, TokenMark},
    directory::{Directory, Holder, TenantEntry},
    ledger::{Cause, Metadata, NewEvent, StreamId, Unit},
    outbound::Settle,
    read_models::{KeptTemplate, MediaRef, MessageRef, ReadModels, Sent, StandingTagging, StoredBlob},
    whatsapp::{Letter, Outcome, WhatsApp},
};
use chatledger_domain::{
    AnyEvent, Assignment, BlobId, Event, GroupId, MessageId, Position, RawJson, Role, TagId, TenantId, UserId, WaId,
    chat::{ChatEvent, MessageQueued},
    whatsapp_account::{Channel, Number},
};
use sqlx::Row;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{super::Parts, files::Files};
use crate::{
    postgres::{Embedded, PgLedger, connect, migrate},
    system::SystemClock,
};

pub(super) const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// What the customers got, what was settled, and what WhatsApp shall answer.
#[derive(Default)]
pub(super) struct World {
    pub(super) calls: Mutex<Vec<Letter>>,
    pub(super) settled: Mutex<Vec<(MessageId, String)>>,
    pub(super) script: Mutex<HashMap<MessageId, Vec<Outcome>>>,
    /// Milliseconds that a call takes.
    pub(super) takes: AtomicU64,
    pub(super) under_way: AtomicUsize,
    pub(super) most_under_way: AtomicUsize,
    pub(super) disconnected: AtomicBool,
    pub(super) files: Files,
}

impl World {
    pub(super) fn calls(&self) -> Vec<MessageId> {
        self.calls.lock().unwrap().iter().map(|letter| letter.message_id).collect()
    }

    pub(super) fn letters(&self) -> Vec<Letter> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn settled(&self) -> Vec<(MessageId, String)> {
        self.settled.lock().unwrap().clone()
    }

    pub(super) fn answers(&self, message: MessageId, outcomes: Vec<Outcome>) {
        self.script.lock().unwrap().insert(message, outcomes);
    }

    pub(super) fn settle(&self, message: MessageId, what: impl Into<String>) -> Result<(), Unavailable> {
        self.settled.lock().unwrap().push((message, what.into()));
        Ok(())
    }
}

pub(super) fn accepted(message: MessageId) -> Outcome {
    Outcome::Accepted { waba_id: format!("wamid.{message}"), response: RawJson::parse("{}".into()).unwrap() }
}

#[async_trait]
impl WhatsApp for World {
    async fn send(&self, _: &Number, token: &str, letter: &Letter) -> Outcome {
        assert_eq!(token, "token");
        self.calls.lock().unwrap().push(letter.clone());
        let now = self.under_way.fetch_add(1, SeqCst) + 1;
        self.most_under_way.fetch_max(now, SeqCst);
        sleep(Duration::from_millis(self.takes.load(SeqCst))).await;
        self.under_way.fetch_sub(1, SeqCst);
        let mut script = self.script.lock().unwrap();
        let outcomes = script.entry(letter.message_id).or_default();
        if outcomes.is_empty() { accepted(letter.message_id) } else { outcomes.remove(0) }
    }
}

#[async_trait]
impl Settle for World {
    async fn accepted(
        &self,
        _: TenantId,
        _: &WaId,
        message: MessageId,
        waba_id: String,
        _: RawJson,
    ) -> Result<(), Unavailable> {
        self.settle(message, waba_id)
    }

    async fn rejected(&self, _: TenantId, _: &WaId, message: MessageId, errors: RawJson) -> Result<(), Unavailable> {
        self.settle(message, errors.text())
    }

    async fn unknown(&self, _: TenantId, _: &WaId, message: MessageId) -> Result<bool, Unavailable> {
        if !self.settled().iter().any(|(known, _)| *known == message) {
            self.settle(message, "unknown")?;
        }
        Ok(true)
    }

    fn postponed(&self, _: TenantId, _: MessageId) {}
}

#[async_trait]
impl Directory for World {
    async fn all(&self) -> Result<Arc<[TenantEntry]>, Unavailable> {
        Ok(Arc::new([]))
    }
    async fn by_id(&self, id: TenantId) -> Result<Option<TenantEntry>, Unavailable> {
        let number = Number {
            phone_number_id: "1001".into(),
            display_phone_number: "351".into(),
            channel: Channel::Cloud,
            waba_id: None,
        };
        let number = Some(number).filter(|_| !self.disconnected.load(SeqCst));
        let (slug, name, hosts) = ("t".into(), "T".into(), Vec::new());
        Ok(Some(TenantEntry { id, slug, name, hosts, settings: Default::default(), number }))
    }
    async fn by_slug(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn by_host(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn by_phone_number_id(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Ok(None)
    }
    async fn holder(&self, _: &str) -> Result<Holder, Unavailable> {
        Ok(Holder::Nobody)
    }
    async fn by_tag(&self, _: &str) -> Result<Vec<TenantId>, Unavailable> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl AccessTokens for World {
    async fn put(&self, _: TenantId, _: &str, _: &str) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn get(&self, _: TenantId, _: &str) -> Result<Option<String>, Unavailable> {
        Ok(Some("token".into()))
    }
    async fn is(&self, _: TenantId, _: &str, _: &str) -> Result<bool, Unavailable> {
        Ok(false)
    }
    async fn mark(&self, _: TenantId, _: &str) -> Result<Option<TokenMark>, Unavailable> {
        Ok(None)
    }
    async fn forget(&self, _: TenantId, _: &str, _: &TokenMark) -> Result<(), Unavailable> {
        Ok(())
    }
}

#[async_trait]
impl ReadModels for World {
    async fn wait_for(&self, _: TenantId, _: Position, _: Duration) -> bool {
        true
    }
    async fn message(&self, _: TenantId, id: &str) -> Result<Option<MessageRef>, Unavailable> {
        let (wa_id, message_id) = (WaId::parse("5").unwrap(), message(7));
        let known = [message(7).to_string(), "wamid.seven".into()].contains(&id.to_owned());
        Ok(known.then(|| MessageRef { wa_id, message_id, waba_id: Some("wamid.seven".into()) }))
    }
    async fn sent(&self, _: TenantId, _: MessageId) -> Result<Option<Sent>, Unavailable> {
        Ok(Some(Sent::Waiting))
    }
    async fn user_by_name(&self, _: TenantId, _: &str) -> Result<Option<UserId>, Unavailable> {
        Ok(None)
    }
    async fn chats_of_user(&self, _: TenantId, _: UserId, _: i64) -> Result<Vec<WaId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn chats_of_group(&self, _: TenantId, _: GroupId, _: i64) -> Result<Vec<WaId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn assignments_at(
        &self,
        _: TenantId,
        _: &[&str],
        _: Position,
    ) -> Result<HashMap<String, Assignment>, Unavailable> {
        Ok(HashMap::new())
    }
    async fn ended_users_with_chats(&self, _: TenantId) -> Result<Vec<UserId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn deleted_groups_in_use(&self, _: TenantId) -> Result<Vec<GroupId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn members_taking_chats(&self, _: TenantId, _: GroupId) -> Result<Vec<UserId>, Unavailable> {
        Ok(Vec::new())
    }

    async fn users_of_group(&self, _: TenantId, _: GroupId) -> Result<Vec<UserId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn built_in_groups(&self, _: TenantId) -> Result<HashMap<Role, GroupId>, Unavailable> {
        Ok(HashMap::new())
    }
    async fn active_admins(&self, _: TenantId) -> Result<Vec<UserId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn users_by_age(&self, _: TenantId) -> Result<Vec<(UserId, bool)>, Unavailable> {
        Ok(Vec::new())
    }
    async fn newest_incoming(&self, _: TenantId, _: &WaId, _: i64) -> Result<Option<String>, Unavailable> {
        Ok(None)
    }
    async fn tag_by_name(&self, _: TenantId, _: &str) -> Result<Option<TagId>, Unavailable> {
        Ok(None)
    }
    async fn taggings_with(&self, _: TenantId, _: TagId, _: i64) -> Result<Vec<StandingTagging>, Unavailable> {
        Ok(Vec::new())
    }
    async fn template(&self, _: TenantId, _: &str, _: &str) -> Result<Option<KeptTemplate>, Unavailable> {
        Ok(None)
    }

    async fn deleted_tags_in_use(&self, _: TenantId) -> Result<Vec<TagId>, Unavailable> {
        Ok(Vec::new())
    }
    async fn media(&self, _: TenantId, id: &str) -> Result<Option<MediaRef>, Unavailable> {
        let id = id.parse().unwrap();
        let stored = StoredBlob {
            blob: BlobId(Uuid::nil()),
            mime_type: "text/plain".into(),
            size: 5,
            sha256: String::new(),
            filename: None,
        };
        Ok(Some(MediaRef { id, stored: Some(stored), has_failed: false }))
    }
    async fn media_bytes(&self, _: TenantId) -> Result<u64, Unavailable> {
        Ok(0)
    }
}

pub(super) fn message(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

/// One database of the cluster, and what is needed to write to its ledger.
pub(super) struct Base {
    pub(super) parts: Parts,
    pub(super) world: Arc<World>,
    pub(super) sequences: HashMap<String, i64>,
}

impl Base {
    pub(super) async fn new(cluster: &Embedded, name: &str) -> Self {
        let admin = connect(cluster.url(), 1).unwrap();
        sqlx::query(&format!("CREATE DATABASE {name}")).execute(&admin).await.unwrap();
        let mut url: url::Url = cluster.url().parse().unwrap();
        url.set_path(name);
        let pool = connect(url.as_str(), 16).unwrap();
        migrate(&pool).await.unwrap();
        let world = Arc::new(World::default());
        let parts = Parts {
            ledger: Arc::new(PgLedger::new(pool.clone())),
            read_models: world.clone(),
            directory: world.clone(),
            tokens: world.clone(),
            whatsapp: world.clone(),
            media: world.clone(),
            store: world.clone(),
            settle: world.clone(),
            clock: Arc::new(SystemClock),
            pool,
        };
        Self { parts, world, sequences: HashMap::new() }
    }

    pub(super) async fn append(&mut self, chat: &str, event: ChatEvent) {
        let sequence = self.sequences.entry(chat.to_owned()).or_default();
        *sequence += 1;
        let new = NewEvent {
            stream: StreamId { aggregate_type: "Chat", aggregate_id: chat.to_owned() },
            sequence: *sequence,
            payload: event.payload().unwrap(),
            key: event.idempotency_key(),
            claims: Vec::new(),
            event: AnyEvent::Chat(event),
            occurred_at: chrono::Utc::now(),
        };
        let metadata = Metadata {
            actor: Cause::System { part: "test".into() },
            family: "system".into(),
            correlation_id: "c".into(),
            causation: None,
        };
        let unit = Unit { tenant: TENANT, events: vec![new], relies_on: Vec::new(), metadata: Arc::new(metadata) };
        self.parts.ledger.append(unit).await.unwrap();
    }

    pub(super) async fn queue(&mut self, chat: &str, n: u128) {
        self.queue_with(chat, n, None, r#"{"type":"text","text":{"body":"\u0000 \ud800"}}"#).await;
    }

    pub(super) async fn queue_with(&mut self, chat: &str, n: u128, context: Option<&str>, body: &str) {
        let queued = MessageQueued {
            message_id: message(n),
            timestamp: 1,
            kind: "text".into(),
            sender: UserId(1),
            context: context.map(str::to_owned),
            message: RawJson::parse(body.into()).unwrap(),
            rendered: None,
            outside_window: false,
        };
        self.append(chat, queued.into()).await;
    }

    pub(super) async fn rows(&self) -> i64 {
        let rows = sqlx::query("SELECT count(*) FROM outbound.sends").fetch_one(&self.parts.pool).await.unwrap();
        rows.get(0)
    }

    pub(super) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self).await {
            let (calls, settled) = (self.world.calls(), self.world.settled());
            assert!(start.elapsed() < Duration::from_secs(20), "{what}: {calls:?} {settled:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many messages are settled, and nothing is left to do.
    pub(super) async fn until_settled(&self, messages: usize) {
        self.until("all is settled", async |base| {
            let settled: HashSet<_> = base.world.settled().into_iter().map(|(message, _)| message).collect();
            settled.len() == messages && base.rows().await == 0
        })
        .await;
    }
}
