//! One call: from the claimed row to the outcome in the ledger, then the row. In this order, so that a crash between
//! the two leaves a row that is settled again without effect.

use std::{future::Future, sync::Arc, time::Duration};

use chatledger_application::ports::{
    Unavailable,
    whatsapp::{Letter, Outcome},
};
use chatledger_domain::{MessageId, RawJson, WaId, whatsapp_account::Number};
use metrics::counter;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Shared,
    attach::{Attached, attach},
    rows::{self, Send},
    worker::Hold,
};

/// Pauses after calls that WhatsApp did not take, in seconds; the last one repeats.
const PAUSES: &[u64] = &[1, 2, 5, 10, 30, 60, 120, 300];
/// The longest pause that WhatsApp may ask for.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long the unknown outcome of a dead server holds back its chat: its lease has run out already.
const LEFTOVER_BLOCK: Duration = Duration::from_secs(3);

/// Calls WhatsApp for a claimed row.
pub(super) async fn make(shared: Arc<Shared>, send: Send, number: Option<Number>, held: Hold) {
    let Some((wa_id, message)) = send.content() else {
        // Waits for somebody to look at it, and holds back its chat; sending anything else would be worse.
        tracing::error!(position = send.position, "a queued message is damaged");
        return;
    };
    let outcome = match reach(&shared, &send, number, &wa_id, message).await {
        Ok(outcome) => outcome,
        Err(fault) => Outcome::Later { after: None, reason: fault.to_string() },
    };
    settle(&shared, &send, &wa_id, outcome).await;
    drop(held);
}

/// Settles the row of a dead server, which may have called.
pub(super) async fn give_up(shared: Arc<Shared>, send: Send, held: Hold) {
    let Some((wa_id, _)) = send.content() else { return };
    count("taken_over");
    lose(&shared, &send, &wa_id, LEFTOVER_BLOCK).await;
    drop(held);
}

async fn reach(
    shared: &Shared,
    send: &Send,
    number: Option<Number>,
    wa_id: &WaId,
    message: RawJson,
) -> Result<Outcome, Unavailable> {
    if is_expired(shared, send) {
        return Ok(expired());
    }
    if send.is_forgotten() {
        return Ok(Outcome::Rejected { errors: RawJson::empty_list() });
    }
    let Some(number) = number else {
        return Ok(refused(133_010, "No WhatsApp number is connected", "Connect a number, then send again."));
    };
    let Some(token) = shared.parts.tokens.get(send.tenant(), &number.phone_number_id).await? else {
        return Ok(refused(190, "The access token is missing", "Connect the number again with its access token."));
    };
    let context = match &send.context {
        Some(quoted) => whatsapp_id(shared, send, quoted).await?,
        None => None,
    };
    let message = reaction(shared, send, message).await?;
    let message = match attach(shared, send, &number, &token, message).await? {
        Attached::All(message) => message,
        Attached::Not(outcome) => return Ok(outcome),
    };
    let letter = Letter { message_id: send.message(), wa_id: wa_id.clone(), context, message };
    Ok(shared.parts.whatsapp.send(&number, &token, &letter).await)
}

/// WhatsApp's id of a message that the sender named by our id or by WhatsApp's.
async fn whatsapp_id(shared: &Shared, send: &Send, id: &str) -> Result<Option<String>, Unavailable> {
    let known = shared.parts.read_models.message(send.tenant(), id).await?;
    // One that we never saw may still be known to WhatsApp; an id of ours is not.
    let as_given = || Uuid::parse_str(id).is_err().then(|| id.to_owned());
    Ok(known.map_or_else(as_given, |message| message.waba_id))
}

/// A reaction names its message within its object.
async fn reaction(shared: &Shared, send: &Send, message: RawJson) -> Result<RawJson, Unavailable> {
    if !message.text().contains("\"reaction\"") {
        return Ok(message);
    }
    let mut tree = message.tree();
    let Some(Value::String(id)) = tree.pointer_mut("/reaction/message_id") else { return Ok(message) };
    if id.parse::<MessageId>().is_err() {
        return Ok(message);
    }
    let Some(waba_id) = whatsapp_id(shared, send, id).await? else { return Ok(message) };
    *id = waba_id;
    Ok(RawJson::from(&tree))
}

async fn settle(shared: &Shared, send: &Send, wa_id: &WaId, outcome: Outcome) {
    let (pool, ledger) = (&shared.parts.pool, &shared.parts.settle);
    let (tenant, message) = (send.tenant(), send.message());
    let outcome = match outcome {
        Outcome::Later { .. } if is_expired(shared, send) => expired(),
        outcome => outcome,
    };
    let recorded = match outcome {
        Outcome::Accepted { waba_id, response } => {
            count("accepted");
            persist(shared, || ledger.accepted(tenant, wa_id, message, waba_id.clone(), response.clone())).await
        }
        Outcome::Rejected { errors } => {
            count("rejected");
            persist(shared, || ledger.rejected(tenant, wa_id, message, errors.clone())).await
        }
        Outcome::Later { after, reason } => {
            count("later");
            let pause = pause(send.attempts).max(after.unwrap_or_default()).min(LONGEST);
            tracing::info!(%tenant, %message, attempts = send.attempts, ?pause, reason, "WhatsApp did not take a message yet");
            persist(shared, || ours(send, rows::later(pool, send, pause))).await;
            ledger.postponed(tenant, message);
            return;
        }
        Outcome::Unknown { reason } => {
            count("unknown");
            tracing::warn!(%tenant, %message, reason, "the outcome of a message is unknown");
            lose(shared, send, wa_id, shared.config.unknown_block).await;
            return;
        }
    };
    if recorded.is_some() {
        persist(shared, || ours(send, rows::done(pool, send))).await;
    }
}

/// Records that the answer got lost. Where a status was faster than the loss, the row has nothing to wait for.
async fn lose(shared: &Shared, send: &Send, wa_id: &WaId, block: Duration) {
    let (parts, tenant, message) = (&shared.parts, send.tenant(), send.message());
    let lost = || parts.settle.unknown(tenant, wa_id, message);
    match persist(shared, lost).await {
        None => return,
        Some(false) => {}
        Some(true) => {
            persist(shared, || ours(send, rows::unknown(&parts.pool, send, block))).await;
            // A status that came just before found no row of unknown outcome to drop.
            if persist(shared, lost).await != Some(false) {
                return;
            }
        }
    }
    // Whoever followed the ledger may have dropped it already.
    persist(shared, || async {
        let gone = rows::done(&parts.pool, send).await;
        gone.map_err(|error| Unavailable::new("the sender's table", error))
    })
    .await;
}

/// Tries until it works: an outcome that is known must not be forgotten while we live. `None` when the stop came
/// first.
async fn persist<T, F>(shared: &Shared, mut attempt: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, Unavailable>>,
{
    let mut wait = Duration::from_millis(50);
    loop {
        let error = match attempt().await {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        tracing::warn!(%error, "the outcome of a message could not be recorded yet");
        if shared.stop.is_cancelled() && wait > Duration::from_secs(1) {
            return None;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

async fn ours(send: &Send, changed: impl Future<Output = sqlx::Result<bool>>) -> Result<(), Unavailable> {
    match changed.await {
        Ok(true) => Ok(()),
        // Another server has taken over; what we recorded stands, the row is theirs.
        Ok(false) => {
            tracing::warn!(position = send.position, fence = send.fence, "a claimed message was taken over");
            Ok(())
        }
        Err(error) => Err(Unavailable::new("the sender's table", error)),
    }
}

fn pause(attempts: i32) -> Duration {
    let place = usize::try_from(attempts - 1).unwrap_or_default().min(PAUSES.len() - 1);
    Duration::from_secs(PAUSES[place])
}

fn is_expired(shared: &Shared, send: &Send) -> bool {
    let age = shared.parts.clock.now().signed_duration_since(send.queued_at);
    age.to_std().is_ok_and(|age| age >= shared.config.expires)
}

fn expired() -> Outcome {
    refused(410, "Message expired", "WhatsApp did not take the message in time.")
}

pub(super) fn refused(code: i64, title: &str, details: &str) -> Outcome {
    let errors = json!([{ "code": code, "title": title, "details": details }]);
    Outcome::Rejected { errors: RawJson::from(&errors) }
}

fn count(outcome: &'static str) {
    counter!("chatledger_sends_total", "outcome" => outcome).increment(1);
}
