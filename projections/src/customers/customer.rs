//! A customer as events make it: what happened to it, kept short, and the row that follows.

use chatledger_domain::contact::{Consent, OptInChanged};

use crate::text::clean;

/// A customer's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Customer {
    /// When it was first seen.
    pub created_at: i64,
    /// The newest message in either direction.
    pub last_contacted_at: Option<i64>,
    /// What WhatsApp shows; may be empty.
    pub profile_name: String,
    /// What the address book says, where it is in there; may be empty.
    pub saved_name: Option<String>,
    /// Its last word on being written to.
    pub consent: Option<Consent>,
}

impl Customer {
    /// The name that is shown; empty when nobody knows one.
    pub(super) fn name(&self) -> &str {
        self.saved_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.profile_name)
    }

    /// What is left when it is forgotten: `None` where nothing but the address book ever knew of it.
    fn forgotten(self) -> Option<Self> {
        let consent = self.consent.and_then(Consent::forgotten);
        let stays = self.last_contacted_at.is_some() || consent.is_some();
        let (created_at, last_contacted_at) = (self.created_at, self.last_contacted_at);
        stays.then(|| Self { created_at, last_contacted_at, consent, ..Self::default() })
    }

    fn with(mut self, part: &Part) -> Self {
        self.last_contacted_at = self.last_contacted_at.max(part.last_contacted_at);
        if let Some(name) = &part.profile_name {
            self.profile_name.clone_from(name);
        }
        if part.saved_name.is_some() {
            self.saved_name.clone_from(&part.saved_name);
        }
        if part.consent.is_some() {
            self.consent.clone_from(&part.consent);
        }
        self
    }
}

/// What happened between two times that it was forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    /// When the first of it happened; `None` where nothing did.
    seen_at: Option<i64>,
    last_contacted_at: Option<i64>,
    profile_name: Option<String>,
    saved_name: Option<String>,
    consent: Option<Consent>,
}

/// What happened to a customer, in order; however much it was, as small as what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    /// It was forgotten between one and the next.
    parts: Vec<Part>,
}

impl Default for Happened {
    fn default() -> Self {
        Self { parts: vec![Part::default()] }
    }
}

impl Happened {
    fn last(&mut self, at: i64) -> &mut Part {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        let index = self.parts.len() - 1;
        let part = &mut self.parts[index];
        part.seen_at.get_or_insert(at);
        part
    }

    /// A message came or went. `at` is when the event occurred, so everywhere here.
    pub(super) fn contacted(&mut self, timestamp: i64, at: i64) {
        let part = self.last(at);
        part.last_contacted_at = part.last_contacted_at.max(Some(timestamp));
    }

    /// WhatsApp showed a profile.
    pub(super) fn seen(&mut self, name: Option<&str>, at: i64) {
        self.last(at).profile_name = Some(clean(name.unwrap_or_default()).trim().to_owned());
    }

    /// It was saved in the address book.
    pub(super) fn saved(&mut self, name: Option<&str>, at: i64) {
        self.last(at).saved_name = Some(clean(name.unwrap_or_default()).trim().to_owned());
    }

    /// Its wish to hear from us changed.
    pub(super) fn opted(&mut self, event: &OptInChanged, at: i64) {
        let consent = Consent::of(event);
        self.last(at).consent = Some(Consent { source: clean(&consent.source).into_owned(), ..consent });
    }

    /// It was forgotten.
    pub(super) fn forgotten(&mut self) {
        self.parts.push(Part::default());
    }

    /// When it was first seen and last contacted, where nothing happened but messages.
    pub(super) fn only_contacted(&self) -> Option<(i64, i64)> {
        let [part] = &self.parts[..] else { return None };
        let (seen_at, last) = (part.seen_at?, part.last_contacted_at?);
        let plain = Part { seen_at: Some(seen_at), last_contacted_at: Some(last), ..Part::default() };
        (*part == plain).then_some((seen_at, last))
    }

    /// The row that follows from the row before; `None` for none.
    pub(super) fn applied_to(&self, before: Option<Customer>) -> Option<Customer> {
        let mut row = before;
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                row = row.and_then(Customer::forgotten);
            }
            if let Some(at) = part.seen_at {
                let known = row.unwrap_or_else(|| Customer { created_at: at, ..Customer::default() });
                row = Some(known.with(part));
            }
        }
        row
    }

    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let texts = |part: &Part| {
            let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            text(&part.profile_name)
                + text(&part.saved_name)
                + part.consent.as_ref().map_or(0, |word| word.source.len())
        };
        self.parts.iter().map(|part| size_of::<Part>() + texts(part)).sum()
    }
}

#[cfg(test)]
mod tests {
    use chatledger_domain::contact::OptIn;

    use super::*;

    fn opted(status: OptIn, timestamp: i64) -> OptInChanged {
        OptInChanged { status, source: "web".into(), done_by: None, timestamp, keyword: None }
    }

    /// Applies steps one by one and all at once; both must come to the same.
    fn after(steps: &[&dyn Fn(&mut Happened)]) -> Option<Customer> {
        let mut whole = Happened::default();
        let mut row = None;
        for step in steps {
            let mut single = Happened::default();
            step(&mut single);
            row = single.applied_to(row);
            step(&mut whole);
        }
        assert_eq!(whole.applied_to(None), row);
        row
    }

    #[test]
    fn r_cus_1_a_customer_is_who_wrote_or_was_saved() {
        let saved = after(&[&|h| h.saved(Some(" Rui "), 5)]).unwrap();
        assert_eq!((saved.name(), saved.created_at, saved.last_contacted_at), ("Rui", 5, None));
        let both = after(&[&|h| h.seen(Some("Rui WA"), 7), &|h| h.contacted(9, 7), &|h| h.contacted(8, 10), &|h| {
            h.saved(None, 11);
        }]);
        let both = both.unwrap();
        assert_eq!((both.name(), both.created_at, both.last_contacted_at), ("Rui WA", 7, Some(9)));
        assert_eq!(after(&[]), None);
    }

    #[test]
    fn who_was_only_saved_is_gone_once_forgotten_and_new_when_it_comes_again() {
        assert_eq!(after(&[&|h| h.saved(Some("Rui"), 5), &Happened::forgotten]), None);
        let again = after(&[&|h| h.saved(Some("Rui"), 5), &Happened::forgotten, &|h| h.contacted(9, 9)]).unwrap();
        assert_eq!((again.name(), again.created_at), ("", 9));
        let twice =
            after(&[&Happened::forgotten, &|h| h.contacted(9, 9), &Happened::forgotten, &|h| h.contacted(12, 12)]);
        assert_eq!(twice.unwrap().created_at, 9);
    }

    #[test]
    fn of_who_is_forgotten_only_its_chat_and_that_it_wants_no_messages_stay() {
        for (status, stays) in [(OptIn::OptedOut, true), (OptIn::OptedIn, false)] {
            let event = opted(status, 6);
            let row = after(&[&|h| h.contacted(5, 5), &|h| h.seen(Some("Rui"), 5), &|h| h.opted(&event, 6), &|h| {
                h.forgotten();
            }]);
            let row = row.unwrap();
            assert_eq!((row.name(), row.last_contacted_at, row.consent.is_some()), ("", Some(5), stays));
            assert!(row.consent.is_none_or(|consent| consent.source.is_empty() && consent.timestamp == 6));
        }
    }

    #[test]
    fn what_is_only_messages_is_told_apart() {
        let mut happened = Happened::default();
        assert_eq!(happened.only_contacted(), None);
        happened.contacted(9, 8);
        happened.contacted(7, 10);
        assert_eq!(happened.only_contacted(), Some((8, 9)));
        happened.seen(None, 11);
        assert_eq!(happened.only_contacted(), None);
    }
}
