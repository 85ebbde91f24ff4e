//! What the address book, saved responses and bulk messages add to the ledgers of [`super::history`].

use chatledger_domain::{
    MessageId, TagId, UserId, WaId,
    bulk_message::{BulkElementSettled, BulkMessageCreated, BulkMessageEvent, ElementOutcome, Fills},
    chat::{ChatReopened, ChatResolved},
    contact::{
        ContactErased, ContactEvent, ContactProfileSeen, ContactUpserted, EmailAddress, OptIn, OptInChanged,
        PhoneNumber,
    },
    saved_response::{SavedResponseCreated, SavedResponseDeleted, SavedResponseEvent},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;

use super::history::{ODD, Writer, json};

/// Saved responses and bulk messages: some of each that stay, and some that are gone or done.
pub fn set_up(w: &mut Writer, users: &[i64]) {
    for (id, text) in [("a", "Thanks\0."), ("b", "One moment, please."), ("c", "Gone")] {
        let created = SavedResponseCreated { text: text.into(), done_by: UserId(users[0]), timestamp: 1_000 };
        w.add("SavedResponse", id, SavedResponseEvent::from(created));
    }
    let deleted = SavedResponseDeleted { done_by: UserId(users[1]) };
    w.add("SavedResponse", "c", SavedResponseEvent::from(deleted));
    bulk(w, users[0]);
    without_a_chat(w);
}

/// A bulk message with every outcome, and one that is not done.
fn bulk(w: &mut Writer, sender: i64) {
    let message_id = MessageId(Uuid::from_u128(9));
    let outcomes = [
        ElementOutcome::Accepted { message_id, waba_id: "bulk\0".into() },
        ElementOutcome::Queued { message_id },
        ElementOutcome::Rejected { message_id, errors: json(r#"[{"title":"\u0000"}]"#) },
        ElementOutcome::NotAllowed,
        ElementOutcome::WindowClosed,
        ElementOutcome::Invalid { reason: "No\0.".into() },
    ];
    let wa_ids: Vec<WaId> =
        (0..outcomes.len()).map(|n| WaId::parse(&format!("35193300{n:03}")).expect("an id")).collect();
    for (id, done) in [(Uuid::from_u128(7), outcomes.len()), (Uuid::from_u128(8), 2)] {
        let created = BulkMessageCreated {
            id,
            sender: UserId(sender),
            recipients: wa_ids.clone(),
            named: 3,
            tags: vec![TagId(5)],
            kind: "text".into(),
            content: json(r#"{"body":"\u0000"}"#),
            payload: json(ODD),
            fills: Fills::new(),
            timestamp: 1_000,
        };
        w.add("BulkMessage", &id.to_string(), BulkMessageEvent::from(created));
        for (wa_id, outcome) in wa_ids.iter().zip(&outcomes).take(done) {
            let (wa_id, outcome) = (wa_id.clone(), outcome.clone());
            let settled = BulkElementSettled { task: id, wa_id, outcome, timestamp: 1_001 };
            w.add("BulkMessage", &id.to_string(), BulkMessageEvent::from(settled));
        }
    }
}

/// A contact is saved, or saved anew.
fn saved(random: &mut StdRng) -> ContactEvent {
    let name = ["Rui\0 Saved", "ANA", ""].choose(random).map(|name| (*name).to_owned());
    let (phone_number, description) = ("+351 912-\0 7".to_owned(), "mobile".to_owned());
    let email = EmailAddress { email_address: "Rui@Costa.example".to_owned(), description: "\0work".to_owned() };
    ContactUpserted {
        name: name.filter(|name| !name.is_empty()),
        phone_numbers: vec![PhoneNumber { phone_number, description }],
        email_addresses: vec![email],
        done_by: None,
    }
    .into()
}

/// Somebody says whether it wishes to hear from us.
fn opted(random: &mut StdRng, timestamp: i64) -> ContactEvent {
    let status = if random.random_bool(0.5) { OptIn::OptedIn } else { OptIn::OptedOut };
    let keyword = Some("STOP".to_owned()).filter(|_| random.random_bool(0.5));
    OptInChanged { status, source: "we\0b".to_owned(), done_by: None, timestamp, keyword }.into()
}

/// Contacts without a chat: one that stays, one that is forgotten and gone, and one that wants no messages for ever.
fn without_a_chat(w: &mut Writer) {
    let mut random = StdRng::seed_from_u64(7);
    for wa_id in ["35194400001", "35194400002", "35194400003", "35194400002"] {
        w.add("Contact", wa_id, saved(&mut random));
        if wa_id == "35194400003" {
            let (status, source) = (OptIn::OptedOut, "letter".to_owned());
            let opted = OptInChanged { status, source, done_by: None, timestamp: 1_000, keyword: None };
            w.add("Contact", wa_id, ContactEvent::from(opted));
        }
        if wa_id != "35194400001" {
            let erased = ContactErased { done_by: None, timestamp: 1_001, events: 0 };
            w.add("Contact", wa_id, ContactEvent::from(erased));
        }
    }
}

/// A contact is saved, or says whether it wishes to hear from us, or its chat is resolved or reopened.
pub fn step(w: &mut Writer, random: &mut StdRng, wa_id: &str, user: i64, timestamp: i64) {
    let done_by = UserId(user);
    match random.random_range(0..4) {
        0 => w.chat(wa_id, ChatResolved { done_by, timestamp }),
        1 => w.chat(wa_id, ChatReopened { done_by, timestamp }),
        2 => w.add("Contact", wa_id, opted(random, timestamp)),
        _ => w.add("Contact", wa_id, saved(random)),
    };
}

/// WhatsApp shows a profile.
pub fn seen(random: &mut StdRng) -> ContactEvent {
    let name = ["Rui Costa", "Ana\0 da Silva", "ÉMILE", ""].choose(random).unwrap();
    let profile = json(r#"{"profile":{"name":"\ud800"},"wa_id":"1"}"#);
    ContactProfileSeen { name: Some((*name).to_owned()).filter(|name| !name.is_empty()), profile }.into()
}
