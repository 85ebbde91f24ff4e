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
