//! Gives our own files to WhatsApp before the message that names them (R-MED-2).
//!
//! A message whose files are under way is certainly not sent, and its row says so: after a crash it is simply claimed
//! again. A file that was given lately is named by the id that it has there.

use std::collections::HashMap;

use chatledger_application::ports::{
    Unavailable,
    media::{NoUpload, OutgoingFile},
    whatsapp::Outcome,
};
use chatledger_domain::{
    MediaId, RawJson,
    media::{Attachment, FileType, attachments, own_path, with_attachments},
    whatsapp_account::Number,
};
use metrics::counter;

use super::{
    Shared,
    call::refused,
    rows::{self, Send},
};

/// What became of a message's files.
pub(super) enum Attached {
    /// WhatsApp has them: the message names them by its ids.
    All(RawJson),
    /// It has not; what that means for the message.
    Not(Outcome),
}

/// Sees to it that WhatsApp has every file of ours that the message names.
pub(super) async fn attach(
    shared: &Shared,
    send: &Send,
    number: &Number,
    token: &str,
    message: RawJson,
) -> Result<Attached, Unavailable> {
    let own = |attachment: &Attachment| match attachment {
        Attachment::Link(link) => own_path(link),
        Attachment::Id(_) => None,
    };
    let files: Vec<MediaId> = attachments(&message).iter().filter_map(own).collect();
    if files.is_empty() {
        return Ok(Attached::All(message));
    }
    let lost = || Attached::Not(Outcome::Later { after: None, reason: "somebody else has the message".to_owned() });
    if !turn(shared, send, "uploading").await? {
        return Ok(lost());
    }
    let mut ids = HashMap::new();
    for media in files {
        if ids.contains_key(&media) {
            continue;
        }
        match give(shared, send, number, token, media).await? {
            Ok(id) => ids.insert(media, id),
            Err(outcome) => return Ok(Attached::Not(outcome)),
        };
    }
    // From here on the message may be sent.
    if !turn(shared, send, "calling").await? {
        return Ok(lost());
    }
    let message = with_attachments(&message, |attachment| ids.get(&own(attachment)?).cloned().map(Attachment::Id));
    Ok(Attached::All(message))
}

async fn turn(shared: &Shared, send: &Send, state: &str) -> Result<bool, Unavailable> {
    rows::turn(&shared.parts.pool, send, state).await.map_err(fault)
}

fn fault(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the sender's table", error)
}

/// WhatsApp's id of a file of ours.
async fn give(
    shared: &Shared,
    send: &Send,
    number: &Number,
    token: &str,
    media: MediaId,
) -> Result<Result<String, Outcome>, Unavailable> {
    let (parts, tenant, place) = (&shared.parts, send.tenant(), number.phone_number_id.as_str());
    if let Some(id) = rows::uploaded(&parts.pool, tenant, place, media).await.map_err(fault)? {
        return Ok(Ok(id));
    }
    let missing = || refused(131_053, "Media upload error", "The file is not there any more.");
    let stored = parts.read_models.media(tenant, &media.to_string()).await?.and_then(|media| media.stored);
    let Some(stored) = stored else { return Ok(Err(missing())) };
    let Some(chunks) = parts.store.get(tenant, stored.blob, None).await? else { return Ok(Err(missing())) };
    let file = OutgoingFile {
        mime_type: FileType::of(&stored.mime_type).mime_type,
        filename: stored.filename.unwrap_or_else(|| media.to_string()),
        size: stored.size,
        chunks,
    };
    match parts.media.upload(number, token, file).await {
        Ok(id) => {
            counter!("chatledger_media_uploads_total", "outcome" => "given").increment(1);
            rows::remember_upload(&parts.pool, tenant, place, media, &id).await.map_err(fault)?;
            Ok(Ok(id))
        }
        Err(NoUpload::Refused(errors)) => {
            counter!("chatledger_media_uploads_total", "outcome" => "refused").increment(1);
            Ok(Err(Outcome::Rejected { errors }))
        }
        Err(NoUpload::Later { after, reason }) => {
            counter!("chatledger_media_uploads_total", "outcome" => "later").increment(1);
            Ok(Err(Outcome::Later { after, reason: format!("a file was not taken: {reason}") }))
        }
    }
}
