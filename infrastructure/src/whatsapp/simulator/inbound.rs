//! What a customer, the phone app or Meta does, as asked for through the control path.

use actix_web::web::Data;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    deliver::{Form, body, deliver},
    sample,
    state::{SimulatedNumber, State, now, number_id, wamid},
    templates,
};

/// Calls under way at once, of those asked for together.
const AT_ONCE: usize = 16;

/// Something to come in: `{"type":"text","from":"351912000111","name":"Ana","text":"Olá"}`.
///
/// Types are WhatsApp's; `button_reply`, `list_reply` and `nfm_reply` stand for `interactive`. The object of the type
/// is made up where it is left out, and a bare string is its main field. Besides: `echo`, `status`, `template_status`,
/// `account_update`, any other `field` with a `value`, and `raw` with a `body` sent as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Inbound {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The customer's number. Left out with a `user_id`: the number is hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The customer's business-scoped id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The customer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// WhatsApp's id; a new one where left out. The same id again is the same message again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// POSIX seconds; now where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// WhatsApp's id of the quoted message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The number it comes to; the first one where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    /// `flat` for the on-premises form through the tenant's own door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// So many of them, each with an id of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// All of them in one call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub batch: bool,
    /// The object of the type, `referral`, and whatever else the message shall have.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    /// WhatsApp's id of the first.
    pub id: String,
    /// WhatsApp's ids.
    pub ids: Vec<String>,
    /// The customer.
    pub wa_id: String,
    /// The worst HTTP status that the callback answered at first; 0 for no answer.
    pub status: u16,
}

/// Makes the calls and sends them.
pub(super) async fn receive(state: &Data<State>, inbound: Inbound) -> Result<Received, String> {
    let number = {
        let memory = state.lock();
        let wanted = inbound.phone_number_id.as_deref();
        let number = wanted.map_or_else(|| memory.numbers.first(), |wanted| memory.number(wanted));
        number.cloned().ok_or("no such number")?
    };
    let form = match inbound.form.as_deref() {
        Some("flat") => Form::Flat,
        None | Some("cloud") => Form::Cloud,
        Some(other) => return Err(format!("unknown form `{other}`")),
    };
    let ids = ids(&inbound);
    let wa_id = customer(&inbound);
    let bodies = bodies(state, &inbound, &number, form, &ids)?;
    let statuses: Vec<u16> = stream::iter(bodies)
        .map(|body| async move { deliver(state, form, body).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let status = statuses.iter().copied().find(|status| *status != 200).or(statuses.first().copied());
    Ok(Received { id: ids[0].clone(), ids, wa_id, status: status.unwrap_or_default() })
}

fn customer(inbound: &Inbound) -> String {
    let default = || "351912000111".to_owned();
    inbound.from.clone().or_else(|| inbound.user_id.clone()).unwrap_or_else(default)
}

fn ids(inbound: &Inbound) -> Vec<String> {
    let first = inbound.id.clone().unwrap_or_else(wamid);
    let more = inbound.count.unwrap_or(1).max(1) - 1;
    let next = |n: usize| inbound.id.as_ref().map_or_else(wamid, |id| format!("{id}-{n}"));
    std::iter::once(first).chain((1..=more).map(next)).collect()
}

fn bodies(
    state: &State,
    inbound: &Inbound,
    number: &SimulatedNumber,
    form: Form,
    ids: &[String],
) -> Result<Vec<String>, String> {
    let one = |field: &str, lists: Value| Ok(vec![body(form, number, field, lists).to_string()]);
    let field = |name: &str| inbound.fields.get(name).cloned();
    let text = |name: &str| field(name).and_then(|value| value.as_str().map(str::to_owned));
    match inbound.kind.as_str() {
        "raw" => Ok(vec![text("body").ok_or("`body` is missing")?]),
        "template_status" => {
            let name = text("template").unwrap_or_else(|| "hello_world".to_owned());
            let language = text("language").unwrap_or_else(|| "en_US".to_owned());
            let event = text("event").unwrap_or_else(|| "APPROVED".to_owned());
            let report = templates::status(&number_id(), &name, &language, &event);
            one("message_template_status_update", report)
        }
        "status" => {
            let mut status = Map::from_iter([
                ("id".to_owned(), ids[0].as_str().into()),
                ("status".to_owned(), "delivered".into()),
                ("timestamp".to_owned(), timestamp(inbound).into()),
                ("recipient_id".to_owned(), customer(inbound).into()),
            ]);
            status.extend(inbound.fields.clone());
            one("messages", json!({ "statuses": [status] }))
        }
        "echo" => {
            let echoes: Vec<Value> = ids.iter().map(|id| echo(state, inbound, number, id)).collect();
            one("smb_message_echoes", json!({ "message_echoes": echoes }))
        }
        "account_update" | "phone_number_quality_update" | "field" => {
            let name = text("field").unwrap_or_else(|| inbound.kind.clone());
            let default = json!({ "event": "VERIFIED_ACCOUNT", "phone_number": number.display_phone_number });
            one(&name, field("value").unwrap_or(default))
        }
        "" => Err("`type` is missing".to_owned()),
        _ => {
            let messages: Vec<Value> = ids.iter().map(|id| message(state, inbound, id, form)).collect();
            let contacts = json!([contact(inbound)]);
            let call = |messages: &[Value]| {
                body(form, number, "messages", json!({ "contacts": contacts, "messages": messages })).to_string()
            };
            Ok(if inbound.batch { vec![call(&messages)] } else { messages.chunks(1).map(call).collect() })
        }
    }
}

fn timestamp(inbound: &Inbound) -> String {
    inbound.timestamp.map_or_else(now, |timestamp| timestamp.to_string())
}

fn contact(inbound: &Inbound) -> Value {
    let mut contact = json!({ "profile": { "name": inbound.name.as_deref().unwrap_or("Simulated customer") } });
    if inbound.from.is_some() || inbound.user_id.is_none() {
        contact["wa_id"] = customer(inbound).into();
    }
    if let Some(user) = &inbound.user_id {
        contact["user_id"] = user.as_str().into();
    }
    contact
}

fn message(state: &State, inbound: &Inbound, id: &str, form: Form) -> Value {
    let mut message = head(inbound, id);
    if inbound.from.is_some() || inbound.user_id.is_none() {
        message.insert("from".to_owned(), customer(inbound).into());
    }
    if let Some(user) = &inbound.user_id {
        message.insert("from_user_id".to_owned(), user.as_str().into());
    }
    fill(state, inbound, form, &mut message);
    message.into()
}

fn echo(state: &State, inbound: &Inbound, number: &SimulatedNumber, id: &str) -> Value {
    let mut message = head(inbound, id);
    message.insert("from".to_owned(), number.display_phone_number.as_str().into());
    message.insert("to".to_owned(), customer(inbound).into());
    let of_text = Inbound { kind: "text".to_owned(), ..inbound.clone() };
    fill(state, &of_text, Form::Cloud, &mut message);
    message.into()
}

fn head(inbound: &Inbound, id: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("id".to_owned(), id.into());
    head.insert("timestamp".to_owned(), timestamp(inbound).into());
    if let Some(quoted) = &inbound.context {
        head.insert("context".to_owned(), json!({ "from": "351210000001", "id": quoted }));
    }
    head
}

fn fill(state: &State, inbound: &Inbound, form: Form, message: &mut Map<String, Value>) {
    let (kind, key, object) = sample::of(state, &inbound.kind, form == Form::Flat);
    message.insert("type".to_owned(), kind.into());
    let given = inbound.fields.get(&inbound.kind).or_else(|| inbound.fields.get(key)).cloned();
    message.insert(key.to_owned(), sample::completed(&inbound.kind, object, given));
    for (name, value) in &inbound.fields {
        if name != &inbound.kind && name != key {
            message.insert(name.clone(), value.clone());
        }
    }
}
