//! Misbehaviour of calls about the account (templates, the business profile), and how often each was called.

use actix_web::{HttpResponse, rt};

use super::{fault, messages::cut, state::State};

/// Counts a call; the answer instead of the right one, where it is to go wrong.
pub(super) async fn gone_wrong(state: &State, what: &str, flat: bool) -> Option<HttpResponse> {
    let behaviour = {
        let mut memory = state.lock();
        *memory.calls.entry(what.to_owned()).or_default() += 1;
        memory.behaviour.account.clone()?
    };
    if let Some(delay) = behaviour.delay_ms {
        rt::time::sleep(std::time::Duration::from_millis(delay)).await;
    }
    if behaviour.cut {
        return Some(cut());
    }
    if let Some(code) = behaviour.code {
        return Some(fault::answer(code, "", flat));
    }
    behaviour.status.map(|status| fault::of_http(status, behaviour.bare, flat, None))
}
