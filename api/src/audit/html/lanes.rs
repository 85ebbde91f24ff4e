//! A history as lanes: moments as marks, what lasted as bars.

use chatledger_application::{
    audit::{ChatAsOf, Entry},
    ports::audit::Subject,
};
use chatledger_domain::chat::{ChatEvent, TagAsItWas, opens_window};
use chrono::{DateTime, Utc};

use crate::audit::Head;

/// More lanes than this are not drawn.
const MOST: usize = 40;

/// Colours that are told apart, on light and dark paper.
const COLORS: [&str; 10] =
    ["#2f6fd0", "#c2571a", "#2a9d6f", "#8a63d2", "#b8346b", "#0f8a96", "#8c6d1f", "#5a6b7b", "#4f8a10", "#a8443c"];

/// A moment.
pub(super) struct Mark {
    pub at: DateTime<Utc>,
    pub what: String,
}

/// What lasted.
pub(super) struct Bar {
    /// Since when; `None` where it began before the history does.
    pub from: Option<DateTime<Utc>>,
    /// Until when; `None` where it went on.
    pub until: Option<DateTime<Utc>>,
    pub label: String,
    pub color: String,
}

/// One line of the picture.
pub(super) struct Lane {
    pub label: String,
    pub class: &'static str,
    pub marks: Vec<Mark>,
    pub bars: Vec<Bar>,
}

/// The lanes, and how many more there would be.
#[derive(Default)]
pub(super) struct Board {
    pub lanes: Vec<Lane>,
    keys: Vec<String>,
    pub left_out: usize,
    overflow: Vec<String>,
}

impl Board {
    /// The lanes of a history.
    pub(super) fn of(head: &Head, entries: &[Entry]) -> Self {
        let mut board = Self::default();
        match &head.subject {
            Subject::Chat(_) => board.chat(head.chat.as_ref().and_then(|(before, _)| before.as_ref()), entries),
            Subject::Tag { .. } => entries.iter().for_each(|entry| board.of_tag(entry)),
            Subject::User { id, .. } => entries.iter().for_each(|entry| board.of_user(id.0, entry)),
        }
        board.left_out = board.overflow.len();
        board
    }

    fn lane(&mut self, key: &str, label: &str, class: &'static str) -> Option<&mut Lane> {
        if let Some(index) = self.keys.iter().position(|known| known == key) {
            return self.lanes.get_mut(index);
        }
        if self.lanes.len() >= MOST {
            if !self.overflow.iter().any(|known| known == key) {
                self.overflow.push(key.to_owned());
            }
            return None;
        }
        self.keys.push(key.to_owned());
        self.lanes.push(Lane { label: label.to_owned(), class, marks: Vec::new(), bars: Vec::new() });
        self.lanes.last_mut()
    }

    fn mark(&mut self, label: &str, class: &'static str, entry: &Entry) {
        let mark = Mark { at: entry.stored.recorded_at, what: entry.what.clone() };
        if let Some(lane) = self.lane(label, label, class) {
            lane.marks.push(mark);
        }
    }

    fn begin(&mut self, (key, lane): (&str, &str), from: Option<DateTime<Utc>>, label: String, color: String) {
        if let Some(at) = from {
            self.end(key, at);
        }
        if let Some(lane) = self.lane(key, lane, "bars") {
            lane.bars.push(Bar { from, until: None, label, color });
        }
    }

    /// Ends what lasts in a lane. What began before the history gets a bar from its left edge.
    fn end(&mut self, key: &str, at: DateTime<Utc>) {
        let Some(index) = self.keys.iter().position(|known| known == key) else { return };
        if let Some(bar) = self.lanes.get_mut(index).and_then(|lane| lane.bars.last_mut())
            && bar.until.is_none()
        {
            bar.until = Some(at);
        }
    }

    fn chat(&mut self, before: Option<&ChatAsOf>, entries: &[Entry]) {
        for (label, class) in [("customer", "in"), ("this side", "out"), ("user", "bars"), ("group", "bars")] {
            self.lane(label, label, class);
        }
        if let Some(before) = before {
            if let Some(user) = &before.user {
                self.begin(("user", "user"), None, user.to_string(), color(user.id));
            }
            if let Some(group) = &before.group {
                self.begin(("group", "group"), None, group.to_string(), color(group.id));
            }
            if before.resolved {
                self.begin(("resolved", "resolved"), None, "resolved".to_owned(), color(7));
            }
            for applied in &before.tags {
                let (key, label) = (format!("tag {}", applied.tag.id), applied.tag.to_string());
                let own = tag_color(applied.color.as_deref(), applied.tag.id);
                self.begin((&key, &label), None, label.clone(), own);
            }
        }
        for entry in entries {
            if let Some(event) = entry.chat_event() {
                self.in_chat(entry, event);
            }
        }
    }

    fn in_chat(&mut self, entry: &Entry, event: &ChatEvent) {
        let at = entry.stored.recorded_at;
        match event {
            ChatEvent::MessageReceived(e) => {
                self.mark("customer", "in", entry);
                if opens_window(&e.kind) {
                    self.end("resolved", at);
                }
            }
            ChatEvent::MessageQueued(_) | ChatEvent::MessageEchoed(_) => self.mark("this side", "out", entry),
            ChatEvent::ChatAssigned(e) => {
                let names = |id: i64, what: &str| named(entry, id, what);
                if e.user_cleared {
                    self.end("user", at);
                }
                if let Some(user) = e.user_set {
                    self.begin(("user", "user"), Some(at), names(user.0, "user"), color(user.0));
                }
                if e.group_cleared {
                    self.end("group", at);
                }
                if let Some(group) = e.group_set {
                    self.begin(("group", "group"), Some(at), names(group.0, "group"), color(group.0));
                }
            }
            ChatEvent::ChatTagged(e) => {
                let (key, label) = tag_lane(&e.tag);
                let own = tag_color(e.tag.web_inbox_color.as_deref(), e.tag.id.0);
                self.begin((&key, &label), Some(at), label.clone(), own);
            }
            ChatEvent::ChatUntagged(e) => self.end(&tag_lane(&e.tag).0, at),
            ChatEvent::MessageTagged(_) | ChatEvent::MessageUntagged(_) => self.mark("messages tagged", "mark", entry),
            ChatEvent::ChatResolved(_) => {
                self.begin(("resolved", "resolved"), Some(at), "resolved".to_owned(), color(7));
            }
            ChatEvent::ChatReopened(_) => self.end("resolved", at),
            _ => {}
        }
    }

    fn of_tag(&mut self, entry: &Entry) {
        let at = entry.stored.recorded_at;
        let chat = &entry.stored.aggregate_id;
        match entry.chat_event() {
            Some(ChatEvent::ChatTagged(e)) => {
                let own = tag_color(e.tag.web_inbox_color.as_deref(), e.tag.id.0);
                self.begin((chat, chat), Some(at), tag_lane(&e.tag).1, own);
            }
            Some(ChatEvent::ChatUntagged(_)) => self.end(chat, at),
            Some(_) => self.mark("messages tagged", "mark", entry),
            None => self.mark("the tag itself", "mark", entry),
        }
    }

    fn of_user(&mut self, user: i64, entry: &Entry) {
        let at = entry.stored.recorded_at;
        let chat = &entry.stored.aggregate_id;
        let is_own = entry.who.id() == Some(user);
        match entry.chat_event() {
            Some(ChatEvent::MessageQueued(_)) => self.mark("wrote", "out", entry),
            Some(ChatEvent::ChatAssigned(e)) => {
                if is_own {
                    self.mark("assigned", "mark", entry);
                }
                if e.user_set.is_some_and(|set| set.0 == user) {
                    self.begin((chat, &format!("had {chat}")), Some(at), chat.clone(), color(user));
                } else if e.user_cleared || e.user_set.is_some() {
                    self.end(chat, at);
                }
            }
            Some(ChatEvent::MessagesMarkedAsReceived(_) | ChatEvent::MessagesDelivered(_)) => {
                self.mark("received", "in", entry);
            }
            Some(_) => self.mark("tagged, resolved", "mark", entry),
            None if is_own => self.mark("did otherwise", "mark", entry),
            None => self.mark("happened to it", "mark", entry),
        }
    }
}

fn tag_lane(tag: &TagAsItWas) -> (String, String) {
    (format!("tag {}", tag.id), format!("{} (#{})", tag.name, tag.id))
}

/// What somebody was called in the words of an entry; the id where it is not named there.
fn named(entry: &Entry, id: i64, what: &str) -> String {
    let mark = format!(" (#{id})");
    let before = entry.what.split(mark.as_str()).next().filter(|before| before.len() < entry.what.len());
    let name = before.and_then(|before| before.rsplit_once(&format!("to the {what} "))).map(|(_, name)| name);
    name.map_or_else(|| format!("#{id}"), |name| format!("{name}{mark}"))
}

fn color(id: i64) -> String {
    let index = usize::try_from(id.rem_euclid(10)).unwrap_or_default();
    COLORS[index % COLORS.len()].to_owned()
}

/// A tag's own colour, where it is one.
fn tag_color(own: Option<&str>, id: i64) -> String {
    let is_color = |text: &&str| {
        text.strip_prefix('#').is_some_and(|digits| {
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
    };
    own.filter(is_color).map_or_else(|| color(id), str::to_owned)
}
