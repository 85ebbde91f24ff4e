//! What a chat was like at a moment, folded from its events by the domain's own code.

use chatledger_domain::{
    AnyEvent, Decider, Position, TagId, TenantId, WaId,
    chat::{Chat, ChatEvent},
    contact::Contact,
    tenant::{Settings, Tenant},
    window,
};
use chrono::{DateTime, Utc};

use super::{Label, Mentions, Moment, Names, entry::read};
use crate::{
    application::Application,
    chats::TENANT,
    error::ApplicationError,
    ports::{
        audit::{Span, StoredEvent, Subject},
        ledger::StreamId,
    },
};

/// Events read at once.
const PAGE: i64 = 2_000;

/// A tag that the chat carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedTag {
    /// The tag, with the name that it had at that moment.
    pub tag: Label,
    /// Its colour at that moment.
    pub color: Option<String>,
    /// The tagging: the position at which the chat was tagged.
    pub tagging: i64,
}

/// What a chat was like at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatAsOf {
    /// The chat.
    pub wa_id: WaId,
    /// The newest position that counts.
    pub position: Position,
    /// The moment: the time that was asked for, else when the position was recorded, else now.
    pub time: DateTime<Utc>,
    /// The customer's name, as WhatsApp showed it.
    pub name: Option<String>,
    /// The user that had the chat.
    pub user: Option<Label>,
    /// The group that had the chat.
    pub group: Option<Label>,
    /// Its tags, by id.
    pub tags: Vec<AppliedTag>,
    /// Whether it was resolved.
    pub resolved: bool,
    /// When the 24-hour window closes or closed, POSIX seconds; `None` where it never opened.
    pub window_closes_at: Option<i64>,
    /// Whether the window was open at that moment.
    pub window_open: bool,
    /// Messages of the customer.
    pub incoming: i64,
    /// Messages of this side, from the phone app too.
    pub outgoing: i64,
    /// The newest message in either direction, POSIX seconds; `None` where there was none.
    pub newest_message: Option<i64>,
    /// How many events that were, of the chat and of its customer as a contact.
    pub events: i64,
}

#[derive(Default)]
struct Fold {
    chat: Chat,
    contact: Contact,
    incoming: i64,
    outgoing: i64,
    events: i64,
}

impl Fold {
    fn add(&mut self, stored: &StoredEvent) {
        self.events += 1;
        match read(stored) {
            Some(AnyEvent::Chat(event)) => {
                match event {
                    ChatEvent::MessageReceived(_) => self.incoming += 1,
                    ChatEvent::MessageQueued(_) | ChatEvent::MessageEchoed(_) => self.outgoing += 1,
                    _ => {}
                }
                self.chat.evolve(&event, stored.position);
            }
            Some(AnyEvent::Contact(event)) => self.contact.evolve(&event, stored.position),
            // What this program cannot read changes nothing that it knows of.
            _ => {}
        }
    }
}

impl Application {
    /// What a chat was like at a moment; now, unless told.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownChat`] where nothing had been recorded of it by then.
    pub async fn chat_as_of(
        &self,
        tenant: TenantId,
        wa_id: WaId,
        at: Option<Moment>,
    ) -> Result<ChatAsOf, ApplicationError> {
        let head = self.ledger.head(tenant).await?;
        let position = match at {
            Some(moment) => self.position_of(tenant, moment).await?.min(head),
            None => head,
        };
        let subject = Subject::Chat(wa_id.clone());
        let mut fold = Fold::default();
        let mut span = Span { after: Position(0), through: position };
        while span.after < span.through {
            let page = self.audit_trail.events(tenant, &subject, span, &[], PAGE).await?;
            page.events.iter().for_each(|stored| fold.add(stored));
            span.after = page.seen;
        }
        if fold.events == 0 {
            return Err(ApplicationError::UnknownChat);
        }
        let time = match at {
            Some(Moment::Time(time)) => time,
            Some(Moment::Position(_)) => {
                let recorded_at = self.audit_trail.recorded_at(tenant, position).await?;
                recorded_at.unwrap_or_else(|| self.clock.now())
            }
            None => self.clock.now(),
        };
        let settings = self.settings_as_of(tenant, position).await?;
        let names = self.names_in(tenant, &fold.chat).await?;
        Ok(as_of(wa_id, fold, settings, &names, (position, time)))
    }

    /// What a chat was like before a part of the ledger, where there was one, and after it; `None` for what is no chat.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn chat_around(
        &self,
        tenant: TenantId,
        subject: &Subject,
        span: Span,
    ) -> Result<Option<(Option<ChatAsOf>, ChatAsOf)>, ApplicationError> {
        let Subject::Chat(wa_id) = subject else { return Ok(None) };
        let at = async |position| match self.chat_as_of(tenant, wa_id.clone(), Some(Moment::Position(position))).await {
            Err(ApplicationError::UnknownChat) => Ok(None),
            result => result.map(Some),
        };
        let before = if span.after > Position(0) { at(span.after).await? } else { None };
        Ok(at(span.through).await?.map(|after| (before, after)))
    }

    /// A tenant's short name, for what stands above a history.
    ///
    /// # Errors
    /// The directory's fault.
    pub async fn tenant_slug(&self, tenant: TenantId) -> Result<String, ApplicationError> {
        let entry = self.directory.by_id(tenant).await?;
        Ok(entry.map_or_else(|| tenant.to_string(), |entry| entry.slug))
    }

    async fn names_in(&self, tenant: TenantId, chat: &Chat) -> Result<Names, ApplicationError> {
        let mentions = Mentions {
            done_by: None,
            users: chat.assignment.user.into_iter().collect(),
            groups: chat.assignment.group.into_iter().collect(),
            tags: chat.tags.keys().copied().collect(),
        };
        let mut names = Names::default();
        names.learn(&*self.audit_trail, tenant, &mentions).await?;
        Ok(names)
    }

    /// The inbox's settings at a position; its stream is short.
    async fn settings_as_of(&self, tenant: TenantId, position: Position) -> Result<Settings, ApplicationError> {
        let stream = StreamId { aggregate_type: Tenant::TYPE, aggregate_id: TENANT.to_owned() };
        let mut state = Tenant::default();
        for recorded in self.ledger.load(tenant, &[(stream, 0)]).await? {
            if let AnyEvent::Tenant(event) = &recorded.event
                && recorded.position <= position
            {
                state.evolve(event, recorded.position);
            }
        }
        Ok(state.settings)
    }
}

fn as_of(
    wa_id: WaId,
    Fold { chat, contact, incoming, outgoing, events }: Fold,
    settings: Settings,
    names: &Names,
    (position, time): (Position, DateTime<Utc>),
) -> ChatAsOf {
    let window_closes_at = window::closes_at(chat.last_incoming, chat.referred_at, settings.free_entry_window);
    let tag = |id: TagId, tagging: i64| AppliedTag {
        tag: names.tag(id, position),
        color: names.color(id, position).map(str::to_owned),
        tagging,
    };
    ChatAsOf {
        wa_id,
        position,
        time,
        name: contact.name,
        user: chat.assignment.user.map(|user| names.user(user, position)),
        group: chat.assignment.group.map(|group| names.group(group, position)),
        tags: chat.tags.iter().map(|(id, tagging)| tag(*id, tagging.0)).collect(),
        resolved: chat.resolved,
        window_closes_at,
        window_open: window::is_open(window_closes_at, time.timestamp()),
        incoming,
        outgoing,
        newest_message: chat.exists.then_some(chat.newest_message),
        events,
    }
}
