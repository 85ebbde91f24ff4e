//! WhatsApp's object of a message, passed on byte by byte but for what the contract adds or forbids (R-MSG-14, R-MSG-15).

use chatledger_domain::{
    Pairs, RawJson,
    media::{Attachment, KINDS, own_path, with_attachments},
};
use chatledger_projections::views::MessageView;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::Links;

/// `waba_payload` of a message.
pub struct Payload<'a> {
    message: &'a MessageView,
    links: &'a Links<'a>,
}

impl<'a> Payload<'a> {
    pub(crate) fn new(message: &'a MessageView, links: &'a Links<'a>) -> Self {
        Self { message, links }
    }

    /// The object with links that work now in the place of our own paths, wherever they stand.
    fn linked(&self) -> RawJson {
        with_attachments(&self.message.payload, |attachment| match attachment {
            Attachment::Link(link) => {
                own_path(link).map(|media| Attachment::Link(self.links.media(&media.to_string())))
            }
            Attachment::Id(_) => None,
        })
    }

    /// Whether a key is written by us instead, or must not be there.
    fn leaves_out(&self, key: &str) -> bool {
        match key {
            "to" => !self.message.from_us,
            "id" | "timestamp" => self.message.from_us,
            "errors" => self.message.errors.is_some(),
            _ => false,
        }
    }

    /// The flag that old clients look for at the top; WhatsApp itself has it inside `text`.
    fn preview_url(&self, pairs: &Pairs<'_>) -> Option<bool> {
        let is_request = pairs.get("recipient_type").is_some() && pairs.get("preview_url").is_none();
        let text = || Some(RawJson::from(pairs.get("text")?).tree()["preview_url"] == true);
        (self.message.from_us && is_request).then(|| text().unwrap_or(false))
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.message;
        let payload = if message.from_us { self.linked() } else { message.payload.clone() };
        let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(payload.text()) else {
            return payload.serialize(serializer);
        };
        // A message that we asked WhatsApp to send; all others bring files that we fetch.
        let is_request = message.from_us && pairs.get("recipient_type").is_some();
        let mut map = serializer.serialize_map(None)?;
        if let Some(preview_url) = self.preview_url(&pairs) {
            map.serialize_entry("preview_url", &preview_url)?;
        }
        for (key, value) in &pairs.0 {
            match Medium::read(key, value).filter(|_| !is_request) {
                _ if self.leaves_out(key) => {}
                Some(medium) => map.serialize_entry(key, &medium.with_link(self.links))?,
                None => map.serialize_entry(key, value)?,
            }
        }
        if message.from_us {
            if let Some(id) = &message.waba_id {
                map.serialize_entry("id", id)?;
            }
            map.serialize_entry("timestamp", &message.timestamp.to_string())?;
        }
        if let Some(errors) = message.errors.as_ref() {
            map.serialize_entry("errors", errors)?;
        }
        map.end()
    }
}

/// A media object whose file is fetched from WhatsApp.
struct Medium<'a> {
    pairs: Pairs<'a>,
    id: String,
}

impl<'a> Medium<'a> {
    fn read(key: &str, value: &'a RawValue) -> Option<Self> {
        if !KINDS.contains(&key) {
            return None;
        }
        let pairs: Pairs<'a> = serde_json::from_str(value.get()).ok()?;
        let id = pairs.text("id")?;
        Some(Self { pairs, id })
    }

    fn with_link(self, links: &Links<'_>) -> Linked<'a> {
        Linked { link: links.media(&self.id), pairs: self.pairs }
    }
}

struct Linked<'a> {
    pairs: Pairs<'a>,
    link: String,
}

impl Serialize for Linked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.pairs.0.iter().filter(|(key, _)| key != "link") {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("link", &self.link)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chatledger_domain::{MessageId, TenantId, WaId};
    use chatledger_projections::views::PersonView;

    use super::*;
    use crate::media_link::MediaLinks;

    fn raw(text: &str) -> RawJson {
        RawJson::parse(text.to_owned()).unwrap()
    }

    fn message(from_us: bool, payload: &str) -> MessageView {
        let wa_id = WaId::parse("351912").unwrap();
        let person = PersonView {
            wa_id: wa_id.clone(),
            profile: raw("{}"),
            name: String::new(),
            initials: "3".to_owned(),
            last_message_timestamp: None,
            window_closes_at: None,
            resolved: false,
        };
        MessageView {
            message_id: MessageId::default(),
            waba_id: Some("wamid.1".to_owned()),
            wa_id,
            timestamp: 1_767_693_600,
            from_us,
            kind: "text".to_owned(),
            payload: raw(payload),
            errors: None,
            sent: 0,
            delivered: 0,
            read: 0,
            is_failed: false,
            sender: None,
            person: Arc::new(person),
            received: true,
            context: None,
            tags: Vec::new(),
            chat_tags: Vec::new(),
        }
    }

    fn shown(message: &MessageView) -> String {
        let media = MediaLinks::new(b"key");
        let links =
            Links { base_url: "https://a.example".to_owned(), media: &media, tenant: TenantId::default(), now: 0 };
        serde_json::to_string(&Payload::new(message, &links)).unwrap()
    }

    #[test]
    fn an_incoming_object_is_unchanged() {
        let payload = r#"{"from":"351912","id":"wamid.1","timestamp":"1","x":1.0,"y":"\u0000\ud800","errors":[{ }]}"#;
        assert_eq!(shown(&message(false, payload)), payload);
    }

    #[test]
    fn r_msg_14_an_incoming_object_never_has_to() {
        assert_eq!(
            shown(&message(false, r#"{"from":"351912","to":"1","type":"text"}"#)),
            r#"{"from":"351912","type":"text"}"#
        );
    }

    #[test]
    fn r_msg_15_media_have_a_signed_link() {
        let shown =
            shown(&message(false, r#"{"type":"image","image":{"id":"77","link":"https://waba/1","sha256":"x"}}"#));
        let start = r#"{"type":"image","image":{"id":"77","sha256":"x","link":"https://a.example/api/v1/media/77/?exp=172800&sig="#;
        assert!(shown.starts_with(start), "{shown}");
    }

    #[test]
    fn an_outgoing_object_has_id_timestamp_and_errors() {
        let mut sent =
            message(true, r#"{"recipient_type":"individual","to":"351912","type":"text","text":{"body":"x"}}"#);
        sent.errors = Some(raw(r#"[{"code":131026}]"#));
        assert_eq!(
            shown(&sent),
            r#"{"preview_url":false,"recipient_type":"individual","to":"351912","type":"text","text":{"body":"x"},"id":"wamid.1","timestamp":"1767693600","errors":[{"code":131026}]}"#
        );
        sent.waba_id = None;
        assert!(!shown(&sent).contains(r#""id""#));
    }

    #[test]
    fn an_outgoing_link_to_a_stranger_is_left_alone() {
        let theirs = r#"{"to":"1","type":"image","image":{"link":"https://cdn.example/x.png"}}"#;
        assert!(shown(&message(true, theirs)).contains(r#"{"link":"https://cdn.example/x.png"}"#));
        let alike = r#"{"to":"1","type":"image","image":{"link":"https://cdn.example/api/v1/media/77/"}}"#;
        assert!(shown(&message(true, alike)).contains(r#"{"link":"https://cdn.example/api/v1/media/77/"}"#));
    }

    #[test]
    fn r_msg_15_our_own_path_is_shown_as_a_signed_link_wherever_it_stands() {
        let path = "/api/v1/media/0190f3a2-6000-7c00-8000-000000000001/";
        let link = format!("https://a.example{path}?exp=172800&sig=");
        for kind in [
            format!(r#""image":{{"link":"{path}","caption":"x"}}"#),
            format!(
                r#""template":{{"components":[{{"parameters":[{{"type":"image","image":{{"link":"{path}"}}}}]}}]}}"#
            ),
            format!(r#""interactive":{{"header":{{"type":"video","video":{{"link":"{path}"}}}}}}"#),
        ] {
            let shown = shown(&message(true, &format!(r#"{{"recipient_type":"individual","to":"1",{kind}}}"#)));
            assert!(shown.contains(&link), "{shown}");
        }
    }

    #[test]
    fn a_file_that_whatsapp_was_named_by_its_own_id_has_no_link_of_ours() {
        let sent = r#"{"recipient_type":"individual","to":"1","type":"image","image":{"id":"77"}}"#;
        assert!(!shown(&message(true, sent)).contains("link"));
        let echoed = r#"{"from":"2","to":"1","type":"image","image":{"id":"77"}}"#;
        assert!(shown(&message(true, echoed)).contains("/api/v1/media/77/?exp="));
    }
}
