//! Given / when / then for webhooks.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::{Claim, Event, EventSourced},
    endpoint::Endpoint,
    ids::UserId,
};

type Given = TestFramework<EventSourced<WebhookSubscription>>;

fn endpoint(origin: &str) -> Endpoint {
    Endpoint { origin: origin.into(), ..Endpoint::default() }
}

fn registered() -> WebhookEvent {
    let endpoint = endpoint("https://crm.example");
    WebhookRegistered { user: UserId(7), endpoint, subscriptions: Subscriptions::default() }.into()
}

#[test]
fn r_whk_1_a_user_holds_one_and_gives_it_back() {
    let deleted = WebhookEvent::from(WebhookDeleted { user: UserId(7), done_by: UserId(1) });
    assert_eq!(registered().claims(), vec![Claim::Take("webhook:7".into())]);
    assert_eq!(deleted.claims(), vec![Claim::Release("webhook:7".into())]);
    Given::with(())
        .given(vec![registered()])
        .when(WebhookCommand::Delete { done_by: UserId(1) })
        .then_expect_events(vec![deleted.clone()]);
    Given::with(())
        .given(vec![registered(), deleted])
        .when(WebhookCommand::Delete { done_by: UserId(1) })
        .then_expect_error(WebhookRefusal::Unknown);
}

#[test]
fn a_change_to_the_same_is_a_repeat() {
    let change = |origin: &str| WebhookCommand::Change {
        endpoint: endpoint(origin),
        subscriptions: Subscriptions::default(),
        done_by: UserId(7),
    };
    Given::with(()).given(vec![registered()]).when(change("https://crm.example")).then_expect_events(vec![]);
    let changed = WebhookChanged {
        endpoint: endpoint("https://erp.example"),
        subscriptions: Subscriptions::default(),
        done_by: UserId(7),
    };
    Given::with(())
        .given(vec![registered()])
        .when(change("https://erp.example"))
        .then_expect_events(vec![changed.into()]);
}

#[test]
fn r_out_4_a_webhook_is_disabled_once_and_enabled_once() {
    let (reason, since) = (DisableReason::OnlyFailures, 1_000);
    let disable = WebhookCommand::Disable { reason, since, now: 433_000 };
    let enable = WebhookCommand::Enable { replay: false, done_by: Some(UserId(1)) };
    let disabled = WebhookEvent::from(WebhookDisabled { reason, since, timestamp: 433_000 });
    let enabled = WebhookEvent::from(WebhookEnabled { replay: false, done_by: Some(UserId(1)) });
    let with = |given: &[&WebhookEvent]| Given::with(()).given(given.iter().map(|event| (*event).clone()).collect());
    with(&[&registered()]).when(disable.clone()).then_expect_events(vec![disabled.clone()]);
    with(&[&registered(), &disabled]).when(disable.clone()).then_expect_events(vec![]);
    with(&[&registered(), &disabled]).when(enable.clone()).then_expect_events(vec![enabled.clone()]);
    with(&[&registered(), &disabled, &enabled]).when(enable.clone()).then_expect_events(vec![]);
    with(&[&registered(), &disabled, &enabled]).when(disable).then_expect_events(vec![disabled]);
    Given::with(()).given(vec![]).when(enable).then_expect_error(WebhookRefusal::Unknown);
}

#[test]
fn r_out_4_another_address_is_tried_and_gets_what_was_kept() {
    let disabled = WebhookEvent::from(WebhookDisabled { reason: DisableReason::OnlyFailures, since: 1, timestamp: 2 });
    let change = |origin: &str, subscriptions| WebhookCommand::Change {
        endpoint: endpoint(origin),
        subscriptions,
        done_by: UserId(7),
    };
    let changed = |origin: &str, subscriptions| {
        WebhookEvent::from(WebhookChanged { endpoint: endpoint(origin), subscriptions, done_by: UserId(7) })
    };
    let enabled = WebhookEnabled { replay: true, done_by: Some(UserId(7)) };
    let default = Subscriptions::default();
    Given::with(())
        .given(vec![registered(), disabled.clone()])
        .when(change("https://erp.example", default))
        .then_expect_events(vec![changed("https://erp.example", default), enabled.into()]);
    // What it is told of says nothing about whether it can be reached.
    let other = Subscriptions { on_assigned: true, ..default };
    Given::with(())
        .given(vec![registered(), disabled])
        .when(change("https://crm.example", other))
        .then_expect_events(vec![changed("https://crm.example", other)]);
}
