//! Events of an older shape, lifted to the shape of today before anything else sees them.
//!
//! What is stored stays as it is. An event's line in [`events!`](crate::events) names the versions that came before and
//! what lifts each of them by one; a reader gets the newest shape, whichever was stored.

#[cfg(test)]
mod tests;

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::{decider::UnreadableEvent, raw_json::Pairs};

/// Lifts a payload of one version to the next.
pub type Upcast = fn(&mut Members) -> Result<(), serde_json::Error>;

/// The members of a stored payload, in order, each as its own text: what an upcast leaves alone stays byte for byte.
#[derive(Debug)]
pub struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// The value of a member; `None` where there is none.
    ///
    /// # Errors
    /// When it has another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, serde_json::Error> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| serde_json::from_str(value.get())).transpose()
    }

    /// Sets a member, in its place or at the end.
    ///
    /// # Errors
    /// When the value has no JSON form.
    pub fn set(&mut self, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let value = serde_json::value::to_raw_value(value)?;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(())
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Gives a member another name.
    pub fn rename(&mut self, name: &str, to: &str) {
        for (known, _) in self.0.iter_mut().filter(|(known, _)| known == name) {
            to.clone_into(known);
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Pairs::deserialize(deserializer)?;
        Ok(Self(pairs.0.into_iter().map(|(name, value)| (name, value.to_owned())).collect()))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The versions that came before an event's present one, oldest first, each with what lifts it by one.
#[derive(Clone, Copy, Debug)]
pub struct Lineage {
    /// The event's stored name.
    pub name: &'static str,
    /// Its present version.
    pub current: &'static str,
    /// The versions before.
    pub steps: &'static [(&'static str, Upcast)],
}

impl Lineage {
    /// The steps from a version to the present one; `None` where it is no version of before.
    fn steps_from(&self, version: &str) -> Option<&'static [(&'static str, Upcast)]> {
        let first = self.steps.iter().position(|(before, _)| *before == version)?;
        Some(&self.steps[first..])
    }
}

/// The present version of an event, and the payload of an earlier one in its shape.
///
/// # Errors
/// When no event has this name and version, or the payload does not have its shape.
pub fn lift(
    lineages: &[Lineage],
    name: &str,
    version: &str,
    payload: &str,
) -> Result<(&'static str, String), UnreadableEvent> {
    let unknown = || UnreadableEvent::Unknown { name: name.to_owned(), version: version.to_owned() };
    let lineage = lineages.iter().find(|lineage| lineage.name == name).ok_or_else(unknown)?;
    let steps = lineage.steps_from(version).ok_or_else(unknown)?;
    let shape = |source| UnreadableEvent::Shape { name: name.to_owned(), source };
    Ok((lineage.current, climb(steps, payload).map_err(shape)?))
}

fn climb(steps: &[(&str, Upcast)], payload: &str) -> Result<String, serde_json::Error> {
    let mut members: Members = serde_json::from_str(payload)?;
    for (_, upcast) in steps {
        upcast(&mut members)?;
    }
    serde_json::to_string(&members)
}

/// For stores of `cqrs-es`, which read an event as the tree `{"Name": {…}}`.
impl EventUpcaster for Lineage {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        event_type == self.name && self.steps_from(event_version).is_some()
    }

    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        let steps = self.steps_from(&event.event_version).unwrap_or_default();
        let lifted = climb(steps, &event.payload[self.name].to_string());
        // What cannot be lifted stays as it is, and the store says that it cannot read it.
        if let Some(lifted) = lifted.ok().and_then(|lifted| serde_json::from_str(&lifted).ok()) {
            event.payload[self.name] = lifted;
            event.event_version = self.current.to_owned();
        }
        event
    }
}
