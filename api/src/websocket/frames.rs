//! What is written on the wire: the answers to a client, and events in the two dialects (R-WS-4).

use std::collections::HashMap;

use bytestring::ByteString;
use chatledger_application::ports::bodies::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The answer to every frame that is not what it should be.
pub(super) const BAD_REQUEST: &str = r#"{"type":"response","status":"bad_request","message":"Token is required."}"#;
/// The same where the token is there and the dialect is none.
pub(super) const BAD_DIALECT: &str =
    r#"{"type":"response","status":"bad_request","message":"Dialect must be classic or cloud."}"#;
/// The answer to a good token.
pub(super) const AUTHENTICATED: &str = r#"{"type":"token","status":"success","message":"Authenticated."}"#;
/// The answer to a token that is none.
pub(super) const FAILED: &str = r#"{"type":"token","status":"failed","message":"Invalid token."}"#;

/// Longer tokens are nobody's and are not looked up, in bytes.
const MAX_TOKEN: usize = 512;

/// In which form a client wants events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Dialect {
    /// In both, so that every client finds its own.
    #[default]
    Both,
    /// Flat keys under `waba_webhook` only.
    Classic,
    /// `object` and `entry` as the Cloud API has them, own events under `getchat_webhook`.
    Cloud,
}

/// The one frame that a client may send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenFrame {
    pub token: String,
    pub dialect: Dialect,
}

impl TokenFrame {
    /// Reads it.
    ///
    /// # Errors
    /// The answer to a frame that is another.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Wire {
            token: String,
            #[serde(default)]
            dialect: Option<String>,
        }
        #[derive(Deserialize)]
        struct TokenOnly {
            #[serde(rename = "token")]
            _token: String,
        }
        let wire: Wire = serde_json::from_str(text).map_err(|_| {
            // A dialect that is no text leaves the token readable.
            serde_json::from_str::<TokenOnly>(text).map_or(BAD_REQUEST, |_| BAD_DIALECT)
        })?;
        if wire.token.is_empty() || wire.token.len() > MAX_TOKEN {
            return Err(BAD_REQUEST);
        }
        let dialect = match wire.dialect.as_deref() {
            None => Dialect::Both,
            Some("classic") => Dialect::Classic,
            Some("cloud") => Dialect::Cloud,
            Some(_) => return Err(BAD_DIALECT),
        };
        Ok(Self { token: wire.token, dialect })
    }
}

/// The kind of a key of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of WhatsApp's call as the Cloud API has it.
    Envelope,
    /// Of an event of our own.
    Own,
    /// Of WhatsApp's call, flat.
    Flat,
}

fn kind(key: &str) -> Kind {
    match key {
        "object" | "entry" => Kind::Envelope,
        "outgoing_messages"
        | "chat_assignment"
        | "chat_tagging"
        | "message_tagging"
        | "chat_resolved"
        | "user_availability"
        | "bulk_message_tasks"
        | "bulk_message_task_elements" => Kind::Own,
        _ => Kind::Flat,
    }
}

/// The frames of a body in a dialect, in the order in which they are sent.
pub(super) fn frames(body: &Body, dialect: Dialect) -> Vec<ByteString> {
    let Ok(values) = serde_json::from_str::<HashMap<&str, &RawValue>>(&body.text) else {
        tracing::error!(keys = ?body.keys, "a body is no object");
        return Vec::new();
    };
    let frame = |name: &str, wanted: &dyn Fn(Kind) -> bool| {
        let fields: Vec<String> = body
            .keys
            .iter()
            .filter(|key| wanted(kind(key)))
            .filter_map(|key| values.get(key).map(|value| format!("\"{key}\":{}", value.get())))
            .collect();
        (!fields.is_empty()).then(|| format!(r#"{{"type":"{name}","waba_payload":{{{}}}}}"#, fields.join(",")).into())
    };
    let waba = match dialect {
        Dialect::Both => frame("waba_webhook", &|_| true),
        Dialect::Classic => frame("waba_webhook", &|kind| kind != Kind::Envelope),
        Dialect::Cloud => frame("waba_webhook", &|kind| kind == Kind::Envelope),
    };
    let own = match dialect {
        Dialect::Both | Dialect::Cloud => frame("getchat_webhook", &|kind| kind == Kind::Own),
        Dialect::Classic => None,
    };
    waba.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str, keys: &[&'static str]) -> Body {
        Body { text: text.to_owned(), keys: keys.to_vec(), marks: Vec::new() }
    }

    #[test]
    fn r_ws_2_only_a_token_is_a_token() {
        let read = TokenFrame::read;
        assert_eq!(read(r#"{"token":"ab"}"#), Ok(TokenFrame { token: "ab".into(), dialect: Dialect::Both }));
        let classic = Ok(TokenFrame { token: "ab".into(), dialect: Dialect::Classic });
        assert_eq!(read(r#"{"token":"ab","dialect":"classic"}"#), classic);
        for bad in ["", "{", "[]", "\"ab\"", "{}", r#"{"token":1}"#, r#"{"token":null}"#, r#"{"token":""}"#] {
            assert_eq!(read(bad), Err(BAD_REQUEST), "{bad}");
        }
        for bad in [r#"{"token":"ab","dialect":"old"}"#, r#"{"token":"ab","dialect":3}"#] {
            assert_eq!(read(bad), Err(BAD_DIALECT), "{bad}");
        }
    }

    #[test]
    fn r_ws_4_a_call_is_one_frame_in_each_dialect() {
        let call = body(
            r#"{"messages":[1],"incoming_messages":[2],"object":"o","entry":[3]}"#,
            &["messages", "incoming_messages", "object", "entry"],
        );
        let wanted = [
            (Dialect::Both, r#"{"messages":[1],"incoming_messages":[2],"object":"o","entry":[3]}"#),
            (Dialect::Classic, r#"{"messages":[1],"incoming_messages":[2]}"#),
            (Dialect::Cloud, r#"{"object":"o","entry":[3]}"#),
        ];
        for (dialect, payload) in wanted {
            assert_eq!(frames(&call, dialect), [format!(r#"{{"type":"waba_webhook","waba_payload":{payload}}}"#)]);
        }
    }

    #[test]
    fn r_ws_4_an_event_of_our_own_is_told_under_both_names() {
        let own = body(r#"{"chat_resolved":{"a":1}}"#, &["chat_resolved"]);
        let [waba, getchat] = ["waba_webhook", "getchat_webhook"]
            .map(|name| format!(r#"{{"type":"{name}","waba_payload":{{"chat_resolved":{{"a":1}}}}}}"#));
        assert_eq!(frames(&own, Dialect::Both), [waba.clone(), getchat.clone()]);
        assert_eq!(frames(&own, Dialect::Classic), [waba]);
        assert_eq!(frames(&own, Dialect::Cloud), [getchat]);
    }
}
