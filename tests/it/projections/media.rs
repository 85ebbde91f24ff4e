//! A history of files: expected, stored, given up, stored after all, named again.

use chatledger_domain::{
    BlobId, MediaId, MessageId, UserId,
    chat::MessageEchoed,
    media::{MediaEvent, MediaFetchFailed, MediaOrigin, MediaStored},
};
use uuid::Uuid;

use super::history::{Writer, json, received};

fn stored(n: u128, filename: Option<&str>, origin: MediaOrigin) -> MediaEvent {
    let (mime_type, sha256) = ("image/png".to_owned(), format!("{n:064x}"));
    let filename = filename.map(str::to_owned);
    MediaStored { mime_type, size: 100, sha256, filename, blob: BlobId(Uuid::from_u128(n)), origin }.into()
}

/// Writes it.
pub async fn files(w: &mut Writer, user: i64) {
    let wa_id = "351912000000";
    let theirs = |id: &str| MediaOrigin::Message {
        wa_id: wa_id.to_owned(),
        message_id: MessageId(Uuid::nil()),
        waba_id: id.to_owned(),
    };
    let id_of = |w: &Writer, id: &str| MediaId::of_waba(w.tenant, id).to_string();
    for round in 0..2 {
        for id in ["pending", "stored", "gone", "late"] {
            let image = format!(r#"{{"type":"image","image":{{"id":"{id}","sha256":"\u0000"}}}}"#);
            let mut message = received(&format!("file.{round}.{id}"), 1_000, &image);
            message.kind = "image".to_owned();
            w.chat(wa_id, message);
        }
        w.write().await;
        if round == 0 {
            for id in ["gone", "late"] {
                let failed = MediaFetchFailed { waba_id: id.to_owned(), reason: "gone".to_owned() };
                w.add("Media", &id_of(w, id), MediaEvent::from(failed));
            }
            for (n, id) in [(1, "stored"), (2, "late")] {
                w.add("Media", &id_of(w, id), stored(n, Some("a\0b"), theirs(id)));
            }
        }
    }
    let echo = MessageEchoed {
        message_id: MessageId(Uuid::from_u128(77)),
        waba_id: "file.echo".to_owned(),
        timestamp: 1_000,
        kind: "document".to_owned(),
        context: None,
        message: json(r#"{"document":{"id":"echoed"}}"#),
    };
    w.chat(wa_id, echo);
    for n in 3..5 {
        let id = Uuid::from_u128(n).to_string();
        w.add("Media", &id, stored(n, None, MediaOrigin::Upload { by: UserId(user) }));
    }
    w.write().await;
}
