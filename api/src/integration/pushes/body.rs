//! Puts a body together from what is told message by message, and splits one that grows too large.

use std::{collections::BTreeMap, sync::Arc};

use chatledger_application::ports::bodies::Body;
use chatledger_domain::whatsapp_account::Number;
use serde_json::json;

/// The keys of a body, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Contacts,
    Messages,
    Statuses,
    Errors,
    IncomingMessages,
    OutgoingMessages,
    AssignedMessages,
    ChatAssignment,
    MessageTagging,
    ChatTagging,
    TaggedMessages,
    TaggedChats,
    ChatResolved,
    UserAvailability,
    BulkMessageTasks,
    BulkMessageTaskElements,
}

impl Key {
    fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Messages => "messages",
            Self::Statuses => "statuses",
            Self::Errors => "errors",
            Self::IncomingMessages => "incoming_messages",
            Self::OutgoingMessages => "outgoing_messages",
            Self::AssignedMessages => "assigned_messages",
            Self::ChatAssignment => "chat_assignment",
            Self::MessageTagging => "message_tagging",
            Self::ChatTagging => "chat_tagging",
            Self::TaggedMessages => "tagged_messages",
            Self::TaggedChats => "tagged_chats",
            Self::ChatResolved => "chat_resolved",
            Self::UserAvailability => "user_availability",
            Self::BulkMessageTasks => "bulk_message_tasks",
            Self::BulkMessageTaskElements => "bulk_message_task_elements",
        }
    }

    /// One object rather than a list of them.
    fn is_single(self) -> bool {
        matches!(
            self,
            Self::ChatAssignment
                | Self::MessageTagging
                | Self::ChatTagging
                | Self::ChatResolved
                | Self::UserAvailability
        )
    }

    /// What WhatsApp calls with itself.
    fn is_relayed(self) -> bool {
        self <= Self::Errors
    }
}

/// What is told of one message, status or change: never in two bodies.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The objects, each under its key.
    pub objects: Vec<(Key, Arc<str>)>,
    /// The chat and time of an incoming message that is received by this.
    pub mark: Option<(String, i64)>,
}

impl Unit {
    /// One object.
    pub(super) fn of(key: Key, object: impl Into<Arc<str>>) -> Self {
        Self { objects: vec![(key, object.into())], mark: None }
    }

    fn size(&self) -> usize {
        self.objects.iter().map(|(_, object)| object.len() + 1).sum()
    }

    fn relayed_size(&self) -> usize {
        self.objects.iter().filter(|(key, _)| key.is_relayed()).map(|(_, object)| object.len() + 1).sum()
    }
}

/// What the Cloud form of a call needs; an on-premises account has none of it.
pub(super) struct Cloud<'a>(pub Option<&'a Number>);

/// What a body takes beside its objects: names of keys, brackets.
const FRAME: usize = 1_024;

/// The bodies that tell these units, in order.
pub(super) fn bodies(units: Vec<Unit>, cloud: Option<&Cloud<'_>>, at_most: usize) -> Vec<Body> {
    let mut bodies = Vec::new();
    let (mut part, mut size) = (Vec::new(), FRAME);
    for unit in units {
        let more = unit.size() + cloud.map_or(0, |_| unit.relayed_size());
        if !part.is_empty() && size.saturating_add(more) > at_most {
            bodies.extend(body(std::mem::take(&mut part), cloud));
            size = FRAME;
        }
        size += more;
        part.push(unit);
    }
    bodies.extend(body(part, cloud));
    bodies
}

fn body(units: Vec<Unit>, cloud: Option<&Cloud<'_>>) -> Option<Body> {
    let mut values: BTreeMap<Key, Vec<Arc<str>>> = BTreeMap::new();
    let mut marks: BTreeMap<String, i64> = BTreeMap::new();
    for unit in units {
        for (key, object) in unit.objects {
            let list = values.entry(key).or_default();
            // A customer who wrote twice is told once.
            if key != Key::Contacts || !list.contains(&object) {
                list.push(object);
            }
        }
        if let Some((wa_id, timestamp)) = unit.mark {
            let newest = marks.entry(wa_id).or_insert(timestamp);
            *newest = timestamp.max(*newest);
        }
    }
    if values.is_empty() {
        return None;
    }
    let mut keys: Vec<&'static str> = values.keys().map(|key| key.as_str()).collect();
    let relayed: Vec<(Key, String)> =
        values.iter().filter(|(key, _)| key.is_relayed()).map(|(key, list)| (*key, value(*key, list))).collect();
    let mut pairs: Vec<String> = Vec::new();
    if let Some(cloud) = cloud.filter(|_| !relayed.is_empty()) {
        keys.splice(0..0, ["object", "entry"]);
        pairs.push(r#""object":"whatsapp_business_account""#.to_owned());
        pairs.push(format!(r#""entry":{}"#, entry(cloud, &relayed)));
    }
    pairs.extend(values.iter().map(|(key, list)| format!(r#""{}":{}"#, key.as_str(), value(*key, list))));
    Some(Body { text: format!("{{{}}}", pairs.join(",")), keys, marks: marks.into_iter().collect() })
}

fn value(key: Key, objects: &[Arc<str>]) -> String {
    match objects.last() {
        Some(object) if key.is_single() => object.to_string(),
        _ => format!("[{}]", objects.join(",")),
    }
}

/// The call as the Cloud API makes it (contract, webhooks §6.3).
fn entry(Cloud(number): &Cloud<'_>, relayed: &[(Key, String)]) -> String {
    let (id, display, phone_number_id) = number.map_or(("", "", ""), |number| {
        let waba_id = number.waba_id.as_deref().unwrap_or_default();
        (waba_id, number.display_phone_number.as_str(), number.phone_number_id.as_str())
    });
    let metadata = json!({ "display_phone_number": display, "phone_number_id": phone_number_id });
    let mut value = format!(r#""messaging_product":"whatsapp","metadata":{metadata}"#);
    for (key, list) in relayed {
        value.push_str(&format!(r#","{}":{list}"#, key.as_str()));
    }
    format!(r#"[{{"id":{},"changes":[{{"value":{{{value}}},"field":"messages"}}]}}]"#, json!(id))
}
