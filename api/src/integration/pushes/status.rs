//! WhatsApp's object of a status, passed on byte by byte but for what the contract adds.

use chatledger_domain::{MessageId, Pairs};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

/// The status with our id of its message, and its errors with the `details` that newer reports keep deeper.
pub(super) fn relayed(report: &str, message: Option<MessageId>) -> String {
    let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(report) else { return report.to_owned() };
    serde_json::to_string(&Status { pairs, message }).unwrap_or_else(|_| report.to_owned())
}

struct Status<'a> {
    pairs: Pairs<'a>,
    message: Option<MessageId>,
}

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.pairs.0.iter().filter(|(key, _)| key != "getchat_id") {
            match errors(value).filter(|_| key == "errors") {
                Some(errors) => map.serialize_entry(key, &errors)?,
                None => map.serialize_entry(key, value)?,
            }
            if key == "id"
                && let Some(message) = self.message
            {
                map.serialize_entry("getchat_id", &message)?;
            }
        }
        map.end()
    }
}

fn errors(value: &RawValue) -> Option<Vec<Error<'_>>> {
    let errors: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
    Some(errors.into_iter().map(Error).collect())
}

struct Error<'a>(&'a RawValue);

impl Serialize for Error<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(self.0.get()) else { return self.0.serialize(serializer) };
        let deeper = pairs.get("error_data").and_then(|data| serde_json::from_str::<Pairs<'_>>(data.get()).ok());
        let details = deeper.as_ref().and_then(|data| data.get("details")).filter(|_| pairs.get("details").is_none());
        let Some(details) = details else { return self.0.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in &pairs.0 {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("details", details)?;
        map.end()
    }
}
