//! Files in messages: given to WhatsApp before the message, once, and never in doubt.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    media::{BlobWriter, Chunks, Download, MediaStore, NoDownload, NoUpload, OutgoingFile, WhatsAppMedia},
};
use chatledger_domain::{BlobId, MediaId, RawJson, TenantId, media::path_of, whatsapp_account::Number};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    super::{Sender, SenderConfig},
    quick,
    world::{Base, World, message},
};

/// How WhatsApp takes files.
#[derive(Default)]
pub(super) struct Files {
    /// How often it was given one.
    pub(super) given: AtomicUsize,
    /// Milliseconds that it takes.
    pub(super) takes: AtomicU64,
    /// What it answers first, before it takes them.
    pub(super) answers: Mutex<Vec<NoUpload>>,
}

#[async_trait]
impl WhatsAppMedia for World {
    async fn download(&self, _: &Number, _: &str, _: &str) -> Result<Download, NoDownload> {
        Err(NoDownload::Gone("nothing is here".into()))
    }
    async fn upload(&self, _: &Number, _: &str, file: OutgoingFile) -> Result<String, NoUpload> {
        let n = self.files.given.fetch_add(1, SeqCst) + 1;
        assert_eq!((file.mime_type.as_str(), file.size), ("text/plain", 5));
        sleep(Duration::from_millis(self.files.takes.load(SeqCst))).await;
        let mut answers = self.files.answers.lock().unwrap();
        if answers.is_empty() { Ok(format!("file-{n}")) } else { Err(answers.remove(0)) }
    }
}

#[async_trait]
impl MediaStore for World {
    async fn begin(&self, _: TenantId, _: BlobId) -> Result<Box<dyn BlobWriter>, Unavailable> {
        Err(Unavailable::new("the store", "nothing is written here"))
    }
    async fn get(&self, _: TenantId, _: BlobId, _: Option<Range<u64>>) -> Result<Option<Chunks>, Unavailable> {
        Ok(Some(Box::pin(futures_util::stream::once(async { Ok("hello".into()) }))))
    }
    async fn delete(&self, _: TenantId, _: BlobId) -> Result<(), Unavailable> {
        Ok(())
    }
    async fn blobs(&self, _: TenantId) -> Result<Vec<BlobId>, Unavailable> {
        Ok(Vec::new())
    }

    fn quota(&self) -> u64 {
        0
    }
}

fn image(media: u128) -> String {
    let link = path_of(MediaId(Uuid::from_u128(media)));
    format!(r#"{{"type":"image","image":{{"caption":"x","link":"{link}"}}}}"#)
}

pub(super) async fn our_own_files_are_given_first_and_once(mut base: Base) {
    let later = NoUpload::Later { after: None, reason: "busy".into() };
    base.world.files.answers.lock().unwrap().push(later);
    let sender = Sender::start(base.parts.clone(), quick());
    for n in 1..=2 {
        base.queue_with("5", n, None, &image(9)).await;
    }
    base.until_settled(2).await;
    for letter in base.world.letters() {
        assert_eq!(letter.message.text(), r#"{"type":"image","image":{"caption":"x","id":"file-2"}}"#);
    }
    assert_eq!(base.world.files.given.load(SeqCst), 2);
    // WhatsApp forgets files after thirty days, so an old one is given again.
    let old = "UPDATE outbound.uploads SET uploaded_at = now() - interval '26 days'";
    sqlx::query(old).execute(&base.parts.pool).await.unwrap();
    base.queue_with("5", 3, None, &image(9)).await;
    base.until_settled(3).await;
    assert_eq!(base.world.files.given.load(SeqCst), 3);
    // A file that WhatsApp refuses is a message that it refuses.
    let errors = RawJson::parse(r#"[{"code":131053}]"#.into()).unwrap();
    base.world.files.answers.lock().unwrap().push(NoUpload::Refused(errors));
    base.queue_with("5", 4, None, &image(10)).await;
    base.until_settled(4).await;
    assert!(base.world.settled()[3].1.contains("131053"));
    assert_eq!(base.world.calls(), [1, 2, 3].map(message));
    sender.stop().await;
}

pub(super) async fn a_dead_servers_upload_is_made_again(mut base: Base) {
    base.world.files.takes.store(60_000, SeqCst);
    let sender = Sender::start(base.parts.clone(), SenderConfig { grace: Duration::ZERO, ..quick() });
    base.queue_with("5", 1, None, &image(9)).await;
    base.until("uploading", async |base| base.world.files.given.load(SeqCst) == 1).await;
    // The lease is kept alive as long as the server lives.
    sleep(Duration::from_millis(1_500)).await;
    let statement = "SELECT count(*) FROM outbound.sends WHERE state = 'uploading' AND lease_until > now()";
    let kept: i64 = sqlx::query_scalar(statement).fetch_one(&base.parts.pool).await.unwrap();
    assert_eq!(kept, 1);
    sender.stop().await;
    base.world.files.takes.store(0, SeqCst);
    let sender = Sender::start(base.parts.clone(), quick());
    base.until_settled(1).await;
    // Nothing was called before, so nothing is in doubt.
    assert_eq!(base.world.calls(), [message(1)]);
    assert_eq!(base.world.settled().len(), 1);
    assert_ne!(base.world.settled()[0].1, "unknown");
    sender.stop().await;
}
