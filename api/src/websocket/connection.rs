//! Speaks with one client: its token first (R-WS-1, R-WS-2), then what happens, until one of the two ends it.

use std::{net::IpAddr, time::Duration};

use actix_web::web;
use actix_ws::{CloseCode, CloseReason};
use chatledger_application::ApplicationError;
use chatledger_domain::{Position, TenantId, UserId};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::{
    client::{Client, Said},
    frames::{AUTHENTICATED, BAD_REQUEST, FAILED, TokenFrame},
    hub::{Entry, Seat},
    mailbox::{End, Next},
};
use crate::app::AppState;

/// A client that has shown no token by then is sent away (R-WS-2).
const TOKEN_WITHIN: Duration = Duration::from_secs(10);
/// Frames that are no token, before a client is sent away (R-WS-2).
const MOST_TRIES: u32 = 3;
/// How long the databases may need until a client can be served.
const ADMITTED_WITHIN: Duration = Duration::from_secs(10);

/// Where a connection came in.
pub(super) struct Origin {
    pub state: web::Data<AppState>,
    /// The host that was asked, without the websocket's prefix and port.
    pub host: String,
    /// The client's address, for counting.
    pub address: Option<IpAddr>,
}

/// Why a connection ends.
enum Over {
    /// The client said good-bye, with its reason.
    Goodbye(Option<CloseReason>),
    /// The server does, and says why.
    Close(CloseCode, &'static str),
    /// Nobody is there any more.
    Gone,
}

/// Serves a connection to its end.
pub(super) async fn serve(mut client: Client, entry: Entry, origin: Origin) {
    let stopping = entry.hub().stopping();
    let over = tokio::select! {
        () = stopping.cancelled() => Over::Close(CloseCode::Away, "The server stops."),
        over = converse(&mut client, &entry, &origin) => over,
    };
    match over {
        Over::Goodbye(reason) => client.close(reason).await,
        Over::Close(code, text) => client.close(Some(CloseReason { code, description: Some(text.into()) })).await,
        Over::Gone => {}
    }
}

async fn converse(client: &mut Client, entry: &Entry, origin: &Origin) -> Over {
    let frame = match timeout(TOKEN_WITHIN, greet(client)).await {
        Ok(Ok(frame)) => frame,
        Ok(Err(over)) => return over,
        Err(_) => return Over::Close(CloseCode::Policy, "No token came in time."),
    };
    let admitted = match timeout(ADMITTED_WITHIN, admit(entry, origin, &frame)).await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(Refused::Unavailable)) | Err(_) => {
            return Over::Close(CloseCode::Again, "The service is temporarily unavailable.");
        }
        Ok(Err(Refused::TooMany)) => return Over::Close(CloseCode::Again, "Too many connections or requests."),
        Ok(Err(Refused::BadToken)) => {
            let _ = origin.state.throttles.failed(origin.address, std::time::Instant::now());
            let _ = client.voice.answer(FAILED).await;
            return Over::Close(CloseCode::Policy, "Invalid token.");
        }
    };
    // Nobody wants the token any more.
    drop(frame);
    if !client.voice.answer(AUTHENTICATED).await {
        return Over::Gone;
    }
    tell(client, entry, admitted).await
}

/// Waits for the token; every other frame is a try less.
async fn greet(client: &mut Client) -> Result<TokenFrame, Over> {
    let mut tries = 0;
    while tries < MOST_TRIES {
        let answer = match client.ear.listen().await {
            Said::Text(text) => match TokenFrame::read(&text) {
                Ok(frame) => return Ok(frame),
                Err(answer) => answer,
            },
            Said::Binary => BAD_REQUEST,
            Said::Ping(bytes) => {
                client.voice.pong(bytes);
                continue;
            }
            Said::Pong => continue,
            other => return Err(ended(other)),
        };
        tries += 1;
        if !client.voice.answer(answer).await {
            return Err(Over::Gone);
        }
    }
    Err(Over::Close(CloseCode::Policy, "No token came."))
}

fn ended(said: Said) -> Over {
    match said {
        Said::Goodbye(reason) => Over::Goodbye(reason),
        Said::Nonsense(code) => Over::Close(code, "The frame cannot be taken."),
        _ => Over::Gone,
    }
}

/// Somebody who is told what happens after this position.
struct Admitted {
    seat: Seat,
    from: Position,
}

enum Refused {
    BadToken,
    TooMany,
    Unavailable,
}

impl<E: Into<ApplicationError>> From<E> for Refused {
    fn from(_: E) -> Self {
        Self::Unavailable
    }
}

/// Lets a user in whose token is good here and who is active.
async fn admit(entry: &Entry, origin: &Origin, frame: &TokenFrame) -> Result<Admitted, Refused> {
    let (tenant, user) = owner(origin, &frame.token).await?;
    let parts = &entry.hub().parts;
    // First the seat, then the look at what the user may do: a change in between is told to the room.
    let seat = entry.join(tenant, user, &frame.token, frame.dialect).map_err(|_| Refused::TooMany)?;
    seat.room.ready().await;
    let caller = parts.inbox.caller(tenant, user).await?.filter(|caller| caller.user.is_active);
    let caller = caller.ok_or(Refused::BadToken)?;
    let counted = origin.state.throttles.request(tenant, user, std::time::Instant::now());
    counted.map_err(|_| Refused::TooMany)?;
    seat.room.allow(caller.actor);
    // What was recorded before is read over REST (R-WS-7).
    let from = parts.ledger.head(tenant).await.map_err(|_| Refused::Unavailable)?;
    // REST must show all of it by the time that the client is let in, or what is in between would be told by nobody.
    if !parts.read_models.wait_for(tenant, from, ADMITTED_WITHIN).await {
        return Err(Refused::Unavailable);
    }
    Ok(Admitted { seat, from })
}

/// Whose token it is, unless the host that was asked is another tenant's (R-GEN-2).
async fn owner(origin: &Origin, token: &str) -> Result<(TenantId, UserId), Refused> {
    let application = &origin.state.application;
    let (tenant, user) = application.authenticate(token).await?.ok_or(Refused::BadToken)?;
    let at_home = application.tenant_of_host(&origin.host).await?.is_none_or(|home| home == tenant);
    if at_home { Ok((tenant, user)) } else { Err(Refused::BadToken) }
}

/// Tells what happens, answers frames that nobody asked for (R-WS-3), and asks whether the client is there (R-WS-8).
async fn tell(client: &mut Client, entry: &Entry, Admitted { seat, from }: Admitted) -> Over {
    let (ear, voice) = (&mut client.ear, &mut client.voice);
    let mailbox = &seat.connection.mailbox;
    let period = entry.hub().parts.settings.ping;
    let mut pings = interval_at(Instant::now() + period, period);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_asked, mut letter) = (false, None);
    loop {
        if letter.is_none() {
            letter = match mailbox.next() {
                Next::End(end) => return over(end),
                Next::Send(told) if told.upto <= from => continue,
                Next::Send(letter) => Some(letter.text),
                Next::Wait => None,
            };
        }
        tokio::select! {
            () = mailbox.changed() => if let Some(end) = mailbox.ended() { return over(end) },
            said = ear.listen() => {
                is_asked = false;
                match said {
                    Said::Text(_) | Said::Binary => {
                        mailbox.put(Position(i64::MAX), BAD_REQUEST.into());
                    }
                    Said::Ping(bytes) => voice.pong(bytes),
                    Said::Pong => {}
                    other => return ended(other),
                }
            }
            has_room = voice.has_room(), if letter.is_some() => {
                if !has_room || !letter.take().is_some_and(|text| voice.send(text)) {
                    return Over::Gone;
                }
            }
            _ = pings.tick() => {
                if is_asked {
                    return Over::Gone;
                }
                is_asked = voice.ping();
            }
        }
    }
}

fn over(end: End) -> Over {
    match end {
        End::Behind => Over::Close(CloseCode::Again, "Too far behind."),
        End::Revoked => Over::Close(CloseCode::Policy, "Access has ended."),
        End::Failed => Over::Close(CloseCode::Error, "Events cannot be told now."),
    }
}
