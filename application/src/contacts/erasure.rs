//! What forgetting a contact means for the ledger: which payloads are blanked, and which events follow. Pure, so that it
//! can be done within the transaction that does it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chatledger_domain::{
    AnyEvent, BlobId, Decider, MediaId, MessageId, Position, TenantId,
    bulk_message::{BulkMessage, BulkMessageCommand},
    chat::{Chat, ChatCommand, ChatEvent, Pending},
    contact::{Contact, ContactCommand},
    media::{Attachment, IncomingFile, Media, MediaCommand, MediaEvent, MediaOrigin, attachments, own_path},
};

use crate::{
    decisions::{Decisions, Working},
    error::ApplicationError,
    ports::{
        erasures::EraseContact,
        ledger::{NewEvent, Recorded, StreamId},
    },
    streams::{Aggregate, StreamOf},
};

/// One contact's erasure under way: fed with the events that concern it, it says what is left of each, and in the end
/// what is recorded.
pub struct Erasure {
    wa_id: String,
    request: EraseContact,
    streams: BTreeMap<StreamId, Working>,
    /// Files that the chat's messages name.
    files: BTreeSet<MediaId>,
    /// Of these, those that stay: they were sent to others as well, or came from others.
    staying: HashSet<MediaId>,
    /// Where the files are that are kept.
    kept: HashMap<MediaId, BlobId>,
    /// Events that are blanked so far.
    blanked: u64,
}

/// What follows, for the ledger and for the rest.
pub struct Forgotten {
    /// To be recorded together; empty when there was nothing left to forget.
    pub events: Vec<NewEvent>,
    /// The bytes to be removed.
    pub blobs: Vec<BlobId>,
    /// The files that are forgotten, kept or not.
    pub files: Vec<MediaId>,
    /// How many messages are not sent any more.
    pub unsent: u64,
}

impl Erasure {
    /// Nothing known yet.
    #[must_use]
    pub fn new(request: EraseContact) -> Self {
        let wa_id = request.wa_id.as_str().to_owned();
        let own = [StreamOf::new::<Chat>(&wa_id), StreamOf::new::<Contact>(&wa_id)];
        let streams = own.into_iter().map(|stream| (stream.id.clone(), fresh(stream))).collect();
        Self {
            wa_id,
            request,
            streams,
            files: BTreeSet::new(),
            staying: HashSet::new(),
            kept: HashMap::new(),
            blanked: 0,
        }
    }

    /// Takes events in the order of their streams; what is left of those that are to be blanked, by position.
    pub fn take(&mut self, events: &[Recorded]) -> Vec<(Position, AnyEvent)> {
        let mut by_stream: BTreeMap<&StreamId, Vec<Recorded>> = BTreeMap::new();
        let mut left = Vec::new();
        for recorded in events {
            self.note(recorded);
            left.extend(self.redact(recorded).map(|event| (recorded.position, event)));
            by_stream.entry(&recorded.stream).or_default().push(recorded.clone());
        }
        for (id, events) in by_stream {
            let Some(stream) = stream_of(id) else { continue };
            let working = self.streams.entry(id.clone()).or_insert_with(|| fresh(stream));
            working.before = working.stream.evolve(&working.before, &events);
            working.now = working.before.clone();
        }
        self.blanked += left.len() as u64;
        left
    }

    fn redact(&self, recorded: &Recorded) -> Option<AnyEvent> {
        let stays = matches!(recorded.event, AnyEvent::Media(_))
            && recorded.stream.aggregate_id.parse().is_ok_and(|media| self.staying.contains(&media));
        if stays { None } else { recorded.event.redacted(&self.request.wa_id) }
    }

    fn note(&mut self, recorded: &Recorded) {
        match &recorded.event {
            AnyEvent::Chat(event) => self.files.extend(files_of(self.request.tenant, event)),
            AnyEvent::Media(MediaEvent::MediaStored(e)) => {
                let Ok(media) = recorded.stream.aggregate_id.parse() else { return };
                self.kept.insert(media, e.blob);
                if matches!(&e.origin, MediaOrigin::Message { wa_id, .. } if *wa_id != self.wa_id) {
                    self.staying.insert(media);
                }
            }
            _ => {}
        }
    }

    /// The files that the chat's messages name.
    #[must_use]
    pub fn files(&self) -> &BTreeSet<MediaId> {
        &self.files
    }

    /// Says that some files stay: they were sent to others as well. Before their streams are taken.
    pub fn keep(&mut self, files: impl IntoIterator<Item = MediaId>) {
        self.staying.extend(files);
    }

    /// Whether a stream has been taken.
    #[must_use]
    pub fn knows(&self, stream: &StreamId) -> bool {
        self.streams.contains_key(stream)
    }

    /// Whether the inbox has ever seen the contact, or written to it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.streams.values().any(|working| working.before.sequence > 0)
    }

    /// The streams that matter, each with the sequence it has come to.
    #[must_use]
    pub fn sequences(&self) -> Vec<(StreamId, i64)> {
        self.streams.iter().map(|(id, working)| (id.clone(), working.before.sequence)).collect()
    }

    /// What follows. Messages that WhatsApp may have are settled by WhatsApp, the others are not sent any more.
    ///
    /// # Errors
    /// None of the aggregates refuses this.
    pub fn decide(mut self, with_whatsapp: &HashSet<MessageId>) -> Result<Forgotten, ApplicationError> {
        let files: Vec<MediaId> = self.files.difference(&self.staying.iter().copied().collect()).copied().collect();
        for media in &files {
            let stream = StreamOf::new::<Media>(&media.to_string());
            self.streams.entry(stream.id.clone()).or_insert_with(|| fresh(stream));
        }
        let (now, events) = (self.request.now, self.blanked);
        let bulk: Vec<String> = (self.streams.keys())
            .filter(|id| id.aggregate_type == BulkMessage::TYPE)
            .map(|id| id.aggregate_id.clone())
            .collect();
        let chat_exists = self.sequence_of::<Chat>() > 0;
        let none = HashSet::new();
        let mut decisions = Decisions::on(self.streams.into_values().collect(), &none, now);
        let (wa_id, timestamp) = (&self.wa_id, now.timestamp());

        let chat: Chat = decisions.state(wa_id);
        let queued = chat.pending.iter().filter(|(_, pending)| **pending == Pending::Queued).map(|(id, _)| *id);
        let unsent: Vec<MessageId> = queued.filter(|id| !with_whatsapp.contains(id)).collect();
        let not_sent = unsent.len() as u64;
        let is_first = !decisions.state::<Contact>(wa_id).erased;
        let mut followed = 0;
        if chat_exists && (is_first || events > 0 || not_sent > 0) {
            followed += decisions.decide::<Chat>(wa_id, ChatCommand::Erase { unsent, now: timestamp })?;
        }
        for media in &files {
            followed += decisions.decide::<Media>(&media.to_string(), MediaCommand::Erase { now: timestamp })?;
        }
        for task in &bulk {
            let command = BulkMessageCommand::Erase { wa_id: self.request.wa_id.clone(), now: timestamp };
            followed += decisions.decide::<BulkMessage>(task, command)?;
        }
        let (done_by, is_news) = (self.request.done_by, events > 0 || followed > 0);
        // The last of them, so that whoever has read up to here has read everything that was before.
        let command = ContactCommand::Erase { events, is_news, done_by, now: timestamp };
        decisions.decide::<Contact>(wa_id, command)?;
        let blobs = files.iter().filter_map(|media| self.kept.get(media)).copied().collect();
        Ok(Forgotten { events: decisions.into_parts().1, blobs, files, unsent: not_sent })
    }

    fn sequence_of<D: Aggregate>(&self) -> i64 {
        let id = StreamOf::new::<D>(&self.wa_id).id;
        self.streams.get(&id).map_or(0, |working| working.before.sequence)
    }
}

/// The files that a chat's event names: those that it brings, and those of ours that it sends.
#[must_use]
pub fn files_of(tenant: TenantId, event: &ChatEvent) -> Vec<MediaId> {
    let own = |attachment: Attachment| match attachment {
        Attachment::Link(link) => own_path(&link),
        Attachment::Id(_) => None,
    };
    match event {
        ChatEvent::MessageQueued(e) => attachments(&e.message).into_iter().filter_map(own).collect(),
        event => IncomingFile::of(event).map(|file| MediaId::of_waba(tenant, &file.waba_id)).into_iter().collect(),
    }
}

/// The files that users uploaded, of those whose events these are.
#[must_use]
pub fn uploads_among(events: &[Recorded]) -> Vec<MediaId> {
    let uploads = events.iter().filter(|recorded| {
        matches!(&recorded.event, AnyEvent::Media(MediaEvent::MediaStored(e))
            if matches!(e.origin, MediaOrigin::Upload { .. }))
    });
    uploads.filter_map(|recorded| recorded.stream.aggregate_id.parse().ok()).collect()
}

fn fresh(stream: StreamOf) -> Working {
    let (before, now) = (stream.fresh(), stream.fresh());
    Working { stream, before, now }
}

/// The streams whose state matters for the decision.
fn stream_of(id: &StreamId) -> Option<StreamOf> {
    let name = &id.aggregate_id;
    Some(match id.aggregate_type {
        Chat::TYPE => StreamOf::new::<Chat>(name),
        Contact::TYPE => StreamOf::new::<Contact>(name),
        Media::TYPE => StreamOf::new::<Media>(name),
        BulkMessage::TYPE => StreamOf::new::<BulkMessage>(name),
        _ => return None,
    })
}
