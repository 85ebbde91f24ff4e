//! Given / when / then for tokens.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;

use super::*;
use crate::{decider::EventSourced, ids::UserId};

type Given = TestFramework<EventSourced<ApiToken>>;

fn issued() -> ApiTokenIssued {
    ApiTokenIssued {
        name: "ERP".into(),
        abilities: vec!["contacts.read".into()],
        expires_at: None,
        issued_at: 1_767_700_000,
        last_four: "3fa9".into(),
        done_by: UserId(1),
    }
}

#[test]
fn r_tok_2_a_token_is_issued_and_revoked_once() {
    let revoke = ApiTokenCommand::Revoke { done_by: UserId(1) };
    let revoked = ApiTokenRevoked { done_by: UserId(1) };
    Given::with(())
        .given_no_previous_events()
        .when(ApiTokenCommand::Issue(issued()))
        .then_expect_events(vec![issued().into()]);
    Given::with(()).given(vec![issued().into()]).when(revoke.clone()).then_expect_events(vec![revoked.clone().into()]);
    Given::with(())
        .given(vec![issued().into(), revoked.into()])
        .when(revoke)
        .then_expect_error(ApiTokenRefusal::Unknown);
}

#[test]
fn every_ability_is_named_once() {
    assert_eq!(ABILITIES.iter().collect::<BTreeSet<_>>().len(), ABILITIES.len());
}
