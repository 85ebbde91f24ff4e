//! Words for what happens in a chat.

use chatledger_domain::{
    MessageId, RawJson,
    chat::{ChatAssigned, ChatEvent, MessageQueued, MessageReceived, MessageStatusReported, TagAsItWas},
};
use serde_json::Value;

use super::{Speaker, plain, quoted, time};

impl Speaker<'_> {
    pub(super) fn chat(&self, event: &ChatEvent) -> String {
        match event {
            ChatEvent::MessageReceived(e) => received(e),
            ChatEvent::MessageQueued(e) => queued(e),
            ChatEvent::MessageAccepted(e) => {
                format!("WhatsApp took the message {} as {}", e.message_id, plain(&e.waba_id))
            }
            ChatEvent::MessageRejected(e) => {
                format!("WhatsApp refused the message {}: {}", e.message_id, why(&e.errors))
            }
            ChatEvent::MessageOutcomeUnknown(e) => {
                format!("WhatsApp's answer to the message {} got lost", e.message_id)
            }
            ChatEvent::MessageStatusReported(e) => reported(e),
            ChatEvent::MessageEchoed(e) => {
                format!("the business wrote from the phone app: {}", content(&e.kind, &e.message))
            }
            ChatEvent::MessageTagged(e) => {
                format!("tagged the message {} with {}", message(e.message_id, e.waba_id.as_deref()), tag(&e.tag))
            }
            ChatEvent::MessageUntagged(e) => {
                let message = message(e.message_id, e.waba_id.as_deref());
                format!("took the tag {} off the message {message}", tag(&e.tag))
            }
            ChatEvent::ChatTagged(e) => format!("tagged the chat with {}", tag(&e.tag)),
            ChatEvent::ChatUntagged(e) => format!("took the tag {} off the chat", tag(&e.tag)),
            ChatEvent::ChatAssigned(e) => self.assigned(e),
            ChatEvent::MessagesMarkedAsReceived(e) => {
                format!("marked as received by {}: messages up to {}", self.user(e.user), time(e.timestamp))
            }
            ChatEvent::MessagesDelivered(e) => {
                format!("delivered to the programs of {}: messages up to {}", self.users(&e.to), time(e.timestamp))
            }
            ChatEvent::ChatResolved(_) => "resolved the chat".to_owned(),
            ChatEvent::ChatReopened(_) => "reopened the chat".to_owned(),
            ChatEvent::ConversationClosed(_) => "closed the conversation".to_owned(),
            ChatEvent::ChatErased(_) => "what was said in the chat was erased".to_owned(),
        }
    }

    fn assigned(&self, event: &ChatAssigned) -> String {
        let mut parts = Vec::new();
        if let Some(user) = event.user_set {
            parts.push(format!("assigned the chat to the user {}", self.user(user)));
        }
        if event.user_cleared {
            parts.push("took the chat from its user".to_owned());
        }
        if let Some(group) = event.group_set {
            parts.push(format!("assigned the chat to the group {}", self.group(group)));
        }
        if event.group_cleared {
            parts.push("took the chat from its group".to_owned());
        }
        let because = event.trigger.map(|trigger| format!(", because of position {trigger}")).unwrap_or_default();
        format!("{}{because}", parts.join(" and "))
    }
}

fn received(event: &MessageReceived) -> String {
    let mut said = format!("the customer wrote: {}", content(&event.kind, &event.message));
    if event.kind == "system" {
        said = format!("WhatsApp told of the customer: {}", content(&event.kind, &event.message));
    }
    if event.referral {
        said.push_str(", coming from an ad");
    }
    if event.reopens {
        said.push_str(", which reopened the chat");
    }
    said
}

fn queued(event: &MessageQueued) -> String {
    match &event.rendered {
        Some(rendered) => {
            let name = event.message.tree()["template"]["name"].as_str().map(plain).unwrap_or_default();
            format!("sent the template {name}: {}", quoted(rendered))
        }
        None => format!("sent: {}", content(&event.kind, &event.message)),
    }
}

fn reported(event: &MessageStatusReported) -> String {
    let which = message(event.message_id.unwrap_or_default(), Some(&event.waba_id));
    let status = match event.status.as_str() {
        "sent" => "was sent to the customer".to_owned(),
        "delivered" => "reached the customer".to_owned(),
        "read" => "was read by the customer".to_owned(),
        "failed" => format!("failed: {}", why_in(&event.report.tree()["errors"])),
        other => format!("has the status {}", quoted(other)),
    };
    format!("the message {which} {status}")
}

fn tag(tag: &TagAsItWas) -> String {
    format!("{} (#{})", plain(&tag.name), tag.id)
}

/// A message by WhatsApp's id, else by ours.
fn message(id: MessageId, waba_id: Option<&str>) -> String {
    waba_id.map_or_else(|| id.to_string(), plain)
}

/// What a message says, as far as one line can.
fn content(kind: &str, message: &RawJson) -> String {
    let tree = message.tree();
    let object = &tree[kind];
    let text = |name: &str| object[name].as_str().filter(|text| !text.is_empty());
    let said = match kind {
        "text" | "system" => text("body").map(str::to_owned),
        "reaction" => text("emoji").map(str::to_owned),
        "button" => text("text").map(str::to_owned),
        "location" => text("name").or(text("address")).map(str::to_owned),
        "document" => text("caption").or(text("filename")).map(str::to_owned),
        "interactive" => of_interactive(object),
        "contacts" => object[0]["name"]["formatted_name"].as_str().map(str::to_owned),
        "template" => text("name").map(str::to_owned),
        _ => text("caption").map(str::to_owned),
    };
    match (kind, said) {
        ("text", Some(said)) => quoted(&said),
        (kind, Some(said)) => format!("{} {}", plain(kind), quoted(&said)),
        (kind, None) => format!("({})", plain(kind)),
    }
}

fn of_interactive(object: &Value) -> Option<String> {
    let places = ["/body/text", "/button_reply/title", "/list_reply/title"];
    places.iter().find_map(|place| object.pointer(place)?.as_str()).map(str::to_owned)
}

fn why(errors: &RawJson) -> String {
    why_in(&errors.tree())
}

/// The first of WhatsApp's errors.
fn why_in(errors: &Value) -> String {
    let first = &errors[0];
    let title = ["title", "message", "details"].iter().find_map(|key| first[*key].as_str()).map(plain);
    match (title, first["code"].as_i64()) {
        (Some(title), Some(code)) => format!("{title} ({code})"),
        (Some(title), None) => title,
        (None, Some(code)) => format!("error {code}"),
        (None, None) => "no reason given".to_owned(),
    }
}
