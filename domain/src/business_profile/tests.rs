//! Given / when / then for business profiles.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::EventSourced,
    ids::{BlobId, Position, UserId},
};

type Given = TestFramework<EventSourced<BusinessProfile>>;

fn profile(email: &str) -> Profile {
    Profile { about: "Here".into(), email: email.into(), vertical: "AUTO".into(), ..Profile::default() }
}

fn seen(email: &str) -> BusinessProfileEvent {
    BusinessProfileSeen { profile: profile(email) }.into()
}

fn change(email: &str) -> BusinessProfileCommand {
    let change = ProfileChange { email: Some(email.into()), ..ProfileChange::default() };
    BusinessProfileCommand::Change { change, done_by: UserId(1) }
}

#[test]
fn a_change_leaves_the_other_fields() {
    let changed = BusinessProfileChanged { profile: profile("b@x.example"), done_by: UserId(1) };
    Given::with(())
        .given(vec![seen("a@x.example")])
        .when(change("b@x.example"))
        .then_expect_events(vec![changed.into()]);
    Given::with(()).given(vec![seen("a@x.example")]).when(change("a@x.example")).then_expect_events(vec![]);
}

#[test]
fn what_whatsapp_tells_is_recorded_unless_it_is_known_or_older() {
    let see = |email, as_of| BusinessProfileCommand::See { profile: profile(email), as_of: Position(as_of) };
    Given::with(()).given_no_previous_events().when(see("a", 0)).then_expect_events(vec![seen("a")]);
    Given::with(()).given(vec![seen("a")]).when(see("a", 1)).then_expect_events(vec![]);
    Given::with(()).given(vec![seen("a")]).when(see("b", 1)).then_expect_events(vec![seen("b")]);
    Given::with(()).given(vec![seen("a")]).when(see("b", 0)).then_expect_events(vec![]);
}

#[test]
fn a_vertical_is_read_by_code_and_label() {
    assert_eq!((code_of_vertical("Beauty, Spa and Salon"), code_of_vertical("EDU")), (Some("BEAUTY"), Some("EDU")));
    assert_eq!((code_of_vertical("Farming"), code_of_vertical("")), (None, None));
    assert_eq!((label_of_vertical("GOVT"), label_of_vertical("NOT_A_BIZ")), ("Public Service", "NOT_A_BIZ"));
}

fn photo(sha256: &str) -> ProfilePhoto {
    ProfilePhoto { blob: BlobId::default(), mime_type: "image/png".into(), size: 1, sha256: sha256.into() }
}

#[test]
fn a_photo_is_changed_seen_and_taken_away_once() {
    let changed = || ProfilePhotoChanged { photo: photo("a"), done_by: UserId(1) }.into();
    let removed = || ProfilePhotoRemoved { done_by: UserId(1) }.into();
    let see = |told: Option<&str>| BusinessProfileCommand::SeePhoto { photo: told.map(photo), as_of: Position(1) };
    let remove = || BusinessProfileCommand::RemovePhoto { done_by: UserId(1) };
    Given::with(())
        .given_no_previous_events()
        .when(BusinessProfileCommand::ChangePhoto { photo: photo("a"), done_by: UserId(1) })
        .then_expect_events(vec![changed()]);
    Given::with(()).given(vec![changed()]).when(see(Some("a"))).then_expect_events(vec![]);
    let profile_seen = seen("a");
    let seen = |told: Option<&str>| BusinessProfileEvent::from(ProfilePhotoSeen { photo: told.map(photo) });
    // The profile was seen in the same look.
    Given::with(()).given(vec![changed(), profile_seen]).when(see(Some("b"))).then_expect_events(vec![seen(Some("b"))]);
    Given::with(()).given(vec![changed()]).when(see(Some("b"))).then_expect_events(vec![seen(Some("b"))]);
    Given::with(()).given(vec![changed()]).when(see(None)).then_expect_events(vec![seen(None)]);
    Given::with(()).given(vec![changed(), removed()]).when(see(Some("a"))).then_expect_events(vec![]);
    Given::with(()).given(vec![changed()]).when(remove()).then_expect_events(vec![removed()]);
    Given::with(()).given(vec![changed(), removed()]).when(remove()).then_expect_events(vec![]);
}
