//! One file: from the claimed row to the bytes in the store and the event in the ledger, then the row. In this order,
//! so that a crash anywhere leaves a row that is worked on again without effect.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chatledger_application::{
    media::{Intake, NoIntake, Taken},
    ports::{
        Unavailable,
        media::{Download, NoDownload},
    },
};
use chatledger_domain::{
    BlobId, Position,
    media::{MediaCommand, MediaOrigin, MediaStored, Source},
};
use futures_util::{StreamExt, stream};
use metrics::counter;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Shared,
    rows::{self, Fetch},
};

/// Pauses after a file that did not come, in seconds; the last one repeats.
const PAUSES: &[u64] = &[1, 2, 5, 15, 60, 300, 900, 3600];
/// So often bytes may come that are not what the message tells.
const DAMAGED: i32 = 5;

/// Why a file is not here.
enum Missing {
    /// Never will be: why, for people.
    Gone(String),
    /// The bytes are not the file's; perhaps next time.
    Damaged(&'static str),
    /// Perhaps later.
    Later(Option<Duration>, String),
}

impl From<Unavailable> for Missing {
    fn from(fault: Unavailable) -> Self {
        Self::Later(None, format!("{fault}: {}", fault.source))
    }
}

/// Works on a claimed row until it is settled or somebody else's.
pub(super) async fn fetch(shared: &Shared, row: &Fetch) {
    let worked = tokio::select! {
        got = timeout(shared.config.deadline, get(shared, row)) => {
            got.unwrap_or_else(|_| Err(Missing::Later(None, "it takes too long".to_owned())))
        }
        () = lose(shared, row) => return,
    };
    let command = match worked {
        Ok(taken) => store(row, taken),
        Err(Missing::Gone(reason)) => give_up(row, reason),
        Err(Missing::Damaged(what)) if row.attempts >= DAMAGED => give_up(row, what.to_owned()),
        Err(Missing::Later(..)) if row.age >= shared.config.expires.as_secs_f64() => {
            give_up(row, "WhatsApp did not give the file in time.".to_owned())
        }
        Err(Missing::Damaged(what)) => return put_back(shared, row, None, what).await,
        Err(Missing::Later(after, why)) => return put_back(shared, row, after, &why).await,
    };
    let blob = match &command {
        MediaCommand::Store(stored) => Some(stored.blob),
        MediaCommand::FailFetch { .. } | MediaCommand::Erase { .. } => None,
    };
    let recorded = shared.parts.record.record_media(row.tenant(), row.media(), Position(row.position), command).await;
    match recorded {
        Ok(changed) => {
            counter!("chatledger_media_fetches_total", "outcome" => if blob.is_some() { "stored" } else { "gone" })
                .increment(1);
            if let (false, Some(blob)) = (changed, blob) {
                // Somebody else was faster, and their bytes are the ones that the ledger names; or the file is forgotten.
                let _ = shared.parts.store.delete(row.tenant(), blob).await;
            }
            if let Err(error) = rows::done(&shared.parts.pool, row).await {
                tracing::warn!(%error, "a fetched file's row is left behind");
            }
        }
        Err(fault) => put_back(shared, row, None, &fault.to_string()).await,
    }
}

/// Keeps the row ours; comes back when it is not any more.
async fn lose(shared: &Shared, row: &Fetch) {
    loop {
        tokio::time::sleep(shared.config.lease / 5).await;
        match rows::extend(&shared.parts.pool, row, shared.config.lease).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "a claimed file could not be kept"),
        }
    }
}

async fn get(shared: &Shared, row: &Fetch) -> Result<Taken, Missing> {
    let (parts, tenant) = (&shared.parts, row.tenant());
    let number = parts.directory.by_id(tenant).await?.and_then(|entry| entry.number);
    let not_connected = || Missing::Later(None, "no WhatsApp number is connected".to_owned());
    let number = number.ok_or_else(not_connected)?;
    let token = parts.tokens.get(tenant, &number.phone_number_id).await?.ok_or_else(not_connected)?;
    let Download { mime_type, chunks, .. } =
        parts.whatsapp.download(&number, &token, &row.waba_id).await.map_err(|why| match why {
            NoDownload::Gone(reason) => Missing::Gone(reason),
            NoDownload::Later { after, reason } => Missing::Later(after, reason),
        })?;
    let silence = shared.config.silence;
    let chunks = stream::unfold(chunks, |mut chunks| async move {
        let silent = |_| Some(Err(Unavailable::new("WhatsApp", "silent within a file")));
        Some((timeout(silence, chunks.next()).await.unwrap_or_else(silent)?, chunks))
    });
    let intake = Intake {
        store: &*parts.store,
        tenant,
        blob: BlobId(Uuid::now_v7()),
        declared: row.mime_type.as_deref().or(mime_type.as_deref()),
        source: Source::WhatsApp,
        wanted: |_| true,
    };
    let taken = intake.take(chunks).await.map_err(|why| match why {
        NoIntake::Source(fault) | NoIntake::Store(fault) => fault.into(),
        NoIntake::Empty => Missing::Damaged("WhatsApp gave no bytes."),
        NoIntake::TooLarge(file_type) => Missing::Gone(format!("The {} is too large.", file_type.class.name())),
        NoIntake::Unwanted(_) => Missing::Damaged("The file is of no wanted type."),
    })?;
    if row.sha256.as_deref().and_then(digest).is_some_and(|told| told != taken.sha256) {
        parts.store.delete(tenant, taken.blob).await?;
        return Err(Missing::Damaged("The bytes are not those of the message."));
    }
    Ok(taken)
}

/// A hash in hexadecimal digits, from these or from base64, as WhatsApp writes both.
fn digest(told: &str) -> Option<String> {
    let bytes = hex::decode(told).ok().filter(|bytes| bytes.len() == 32);
    let bytes = bytes.or_else(|| STANDARD.decode(told).ok().filter(|bytes| bytes.len() == 32))?;
    Some(hex::encode(bytes))
}

fn store(row: &Fetch, taken: Taken) -> MediaCommand {
    let origin =
        MediaOrigin::Message { wa_id: row.wa_id.clone(), message_id: row.message(), waba_id: row.waba_id.clone() };
    let Taken { blob, file_type, size, sha256 } = taken;
    let (mime_type, filename) = (file_type.mime_type, row.filename.clone());
    MediaCommand::Store(Box::new(MediaStored { mime_type, size, sha256, filename, blob, origin }))
}

fn give_up(row: &Fetch, reason: String) -> MediaCommand {
    tracing::warn!(tenant = %row.tenant(), media = %row.media(), reason, "a customer's file is given up");
    MediaCommand::FailFetch { waba_id: row.waba_id.clone(), reason }
}

async fn put_back(shared: &Shared, row: &Fetch, after: Option<Duration>, why: &str) {
    counter!("chatledger_media_fetches_total", "outcome" => "later").increment(1);
    let place = usize::try_from(row.attempts - 1).unwrap_or_default().min(PAUSES.len() - 1);
    let pause = Duration::from_secs(PAUSES[place]).max(after.unwrap_or_default());
    tracing::info!(tenant = %row.tenant(), media = %row.media(), attempts = row.attempts, ?pause, why, "a file waits");
    if let Err(error) = rows::later(&shared.parts.pool, row, pause).await {
        tracing::warn!(%error, "a file's row could not be put back; its lease will run out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_in_both_of_whatsapps_forms() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(digest(hex).as_deref(), Some(hex));
        assert_eq!(digest("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=").as_deref(), Some(hex));
        assert_eq!(digest("9b2e…"), None);
        assert_eq!(digest(""), None);
    }
}
