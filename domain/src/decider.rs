//! What an aggregate is: pure functions from state and command to events, and from state and event to state.
//!
//! [`EventSourced`] makes any of them an aggregate of `cqrs-es`, for its test framework and for stock stores.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ids::Position;

/// A name that only one living thing of a tenant may hold at a time (a username, a tag's name, a tagged pair).
/// Taken and given back by events, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Takes the name; refused when somebody holds it.
    Take(String),
    /// Gives the name back; refused when nobody holds it.
    Release(String),
}

/// A fact of one aggregate, with the name and shape under which it is kept for ever.
pub trait Event: Clone + std::fmt::Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The stored name.
    fn name(&self) -> &'static str;

    /// The stored version of the shape.
    fn version(&self) -> &'static str;

    /// The stored payload, JSON.
    ///
    /// # Errors
    /// When a value has no JSON form.
    fn payload(&self) -> Result<String, serde_json::Error>;

    /// Reads a stored event.
    ///
    /// # Errors
    /// When the name is unknown or the payload does not have the shape of its version.
    fn read(name: &str, version: &str, payload: &str) -> Result<Self, UnreadableEvent>;

    /// The key under which this fact can be recorded only once, for ever.
    fn idempotency_key(&self) -> Option<String> {
        None
    }

    /// The same for a fact that can come once in each stream of its type: the id of the stream is added to it.
    fn key_in_stream(&self) -> Option<String> {
        None
    }

    /// The names this fact takes and gives back.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }
}

/// A stored event that this version of the program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    /// No event of the aggregate has this name and version.
    #[error("no event {name} version {version}")]
    Unknown {
        /// The stored name.
        name: String,
        /// The stored version.
        version: String,
    },
    /// The payload does not fit.
    #[error("the payload of {name} does not have its shape")]
    Shape {
        /// The stored name.
        name: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

/// An aggregate's rules.
pub trait Decider: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The stored name of the aggregate's type.
    const TYPE: &'static str;
    /// What may be asked of it.
    type Command: Send;
    /// What can have happened to it.
    type Event: Event;
    /// Why it says no.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// The events that follow from a command: none for a repeat.
    ///
    /// # Errors
    /// The rule that the command breaks.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// The state after an event that was recorded at `position`. Total: an event that happened cannot be refused.
    fn evolve(&mut self, event: &Self::Event, position: Position);
}

/// A [`Decider`] as an aggregate of `cqrs-es`.
///
/// `cqrs-es` hands over events without their position, so it is counted: in a ledger that holds this stream alone,
/// an event's position is its sequence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventSourced<D> {
    /// The aggregate's state.
    pub state: D,
    /// The sequence of the last event.
    pub sequence: i64,
}

impl<D> cqrs_es::Aggregate for EventSourced<D>
where
    D: Decider,
    D::Event: cqrs_es::DomainEvent,
{
    const TYPE: &'static str = D::TYPE;
    type Command = D::Command;
    type Event = D::Event;
    type Error = D::Refusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &cqrs_es::event_sink::EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.state.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.sequence += 1;
        self.state.evolve(&event, Position(self.sequence));
    }
}

/// Declares an aggregate's events: one variant per payload struct, each with its frozen stored name and version.
///
/// Changing a shape: add an optional field; or one with a default; or raise the version and name what lifts the one
/// before to it: `RuleAdded = "RuleAdded" v "2" from { "1" => place_for_position }`. All versions that ever were stay in
/// the list, oldest first; see [`upcast`](crate::upcast).
#[macro_export]
macro_rules! events {
    (
        $(#[$doc:meta])*
        $enum:ident { $(
            $(#[$variant_doc:meta])*
            $variant:ident = $name:literal v $version:literal $(from { $($before:literal => $upcast:expr),+ $(,)? })?
        ),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $enum {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant($variant)),+
        }

        $(impl From<$variant> for $enum {
            fn from(event: $variant) -> Self {
                Self::$variant(event)
            }
        })+

        impl $enum {
            fn stored_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            fn stored_version(&self) -> &'static str {
                match self { $(Self::$variant(_) => $version),+ }
            }

            fn stored_payload(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(event) => serde_json::to_string(event)),+ }
            }

            fn from_stored(name: &str, version: &str, payload: &str) -> Result<Self, $crate::decider::UnreadableEvent> {
                match (name, version) {
                    $(($name, $version) => serde_json::from_str(payload).map(Self::$variant).map_err(|source| {
                        $crate::decider::UnreadableEvent::Shape { name: name.to_owned(), source }
                    }),)+
                    _ => {
                        let (version, payload) = $crate::upcast::lift(Self::LINEAGES, name, version, payload)?;
                        Self::from_stored(name, version, &payload)
                    }
                }
            }

            const LINEAGES: &'static [$crate::upcast::Lineage] = &[$($crate::upcast::Lineage {
                name: $name,
                current: $version,
                steps: &[$($(($before, $upcast)),+)?],
            }),+];

            /// The JSON schema of every event: name, version, schema.
            #[must_use]
            pub fn schemas() -> Vec<(&'static str, &'static str, schemars::Schema)> {
                vec![$(($name, $version, schemars::schema_for!($variant))),+]
            }

            /// Every version that came before a present one: name, version.
            #[must_use]
            pub fn earlier_versions() -> Vec<(&'static str, &'static str)> {
                let of = |event: &'static $crate::upcast::Lineage| event.steps.iter().map(|(before, _)| (event.name, *before));
                Self::LINEAGES.iter().flat_map(of).collect()
            }

            /// What gives stores of `cqrs-es` the present shape of events that were stored in an earlier one.
            #[must_use]
            pub fn upcasters() -> Vec<Box<dyn cqrs_es::persist::EventUpcaster>> {
                Self::LINEAGES.iter().map(|of| Box::new(*of) as Box<dyn cqrs_es::persist::EventUpcaster>).collect()
            }
        }

        impl cqrs_es::DomainEvent for $enum {
            fn event_type(&self) -> String {
                self.stored_name().to_owned()
            }

            fn event_version(&self) -> String {
                self.stored_version().to_owned()
            }
        }
    };
}

/// Implements the stored half of [`Event`] for an enum made by [`events!`](crate::events).
#[macro_export]
macro_rules! stored_event {
    () => {
        fn name(&self) -> &'static str {
            self.stored_name()
        }

        fn version(&self) -> &'static str {
            self.stored_version()
        }

        fn payload(&self) -> Result<String, serde_json::Error> {
            self.stored_payload()
        }

        fn read(name: &str, version: &str, payload: &str) -> Result<Self, $crate::decider::UnreadableEvent> {
            Self::from_stored(name, version, payload)
        }
    };
}
