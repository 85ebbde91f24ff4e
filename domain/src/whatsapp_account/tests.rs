//! Given / when / then for WhatsApp accounts.

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::*;
use crate::{
    decider::{Claim, Decider, Event, EventSourced},
    ids::{AccountId, Position, TenantId},
    raw_json::RawJson,
};

type Given = TestFramework<EventSourced<WhatsAppAccount>>;

fn connected(id: &str) -> WhatsAppAccountEvent {
    AccountConnected {
        phone_number_id: id.into(),
        display_phone_number: "+351210000000".into(),
        channel: Channel::Cloud,
        waba_id: None,
        webhook_url: None,
    }
    .into()
}

fn connect(id: &str) -> WhatsAppAccountCommand {
    let number = Number {
        phone_number_id: id.into(),
        display_phone_number: "+351210000000".into(),
        channel: Channel::Cloud,
        waba_id: None,
    };
    WhatsAppAccountCommand::Connect { number, webhook_url: None }
}

#[test]
fn r_gen_1_a_tenant_has_at_most_one_number_at_a_time() {
    Given::with(()).given_no_previous_events().when(connect("1")).then_expect_events(vec![connected("1")]);
    Given::with(()).given(vec![connected("1")]).when(connect("1")).then_expect_events(vec![]);
    Given::with(())
        .given(vec![connected("1")])
        .when(connect("2"))
        .then_expect_error(WhatsAppAccountRefusal::AlreadyConnected);
    let disconnected = AccountDisconnected { phone_number_id: "1".into() }.into();
    Given::with(())
        .given(vec![connected("1"), disconnected])
        .when(connect("2"))
        .then_expect_events(vec![connected("2")]);
}

fn notice(field: &str, report: &serde_json::Value) -> WhatsAppAccountEvent {
    let (field, report) = (field.to_owned(), RawJson::from(report));
    AccountNoticeReceived { field, report, fingerprint: "f".into() }.into()
}

fn after(events: &[WhatsAppAccountEvent]) -> WhatsAppAccount {
    (1_i64..).zip(events).fold(WhatsAppAccount::default(), |mut account, (position, event)| {
        account.evolve(event, Position(position));
        account
    })
}

fn tier_after(field: &str, report: &serde_json::Value) -> Tier {
    after(&[connected("1"), notice(field, report)]).tier
}

#[test]
fn r_acc_3_each_tier_has_its_daily_limit() {
    let limits = Tier::ALL.map(Tier::daily_limit);
    assert_eq!(limits, [Some(250), Some(1_000), Some(10_000), Some(100_000), None]);
    for tier in Tier::ALL {
        assert_eq!(Tier::named(tier.as_str()), Some(tier));
    }
}

#[test]
fn r_acc_3_a_new_account_starts_at_tier_1_and_so_does_the_next() {
    assert_eq!(after(&[connected("1")]).tier, Tier::Tier1);
    let raised = notice("business_capability_update", &json!({"max_daily_conversation_per_phone": 100_000}));
    let disconnected = AccountDisconnected { phone_number_id: "1".into() }.into();
    assert_eq!(after(&[connected("1"), raised.clone()]).tier, Tier::Tier3);
    assert_eq!(after(&[connected("1"), raised, disconnected, connected("1")]).tier, Tier::Tier1);
}

#[test]
fn r_acc_3_notices_of_the_number_change_the_tier() {
    let names = [
        ("TIER_50", Tier::Tier0),
        ("TIER_250", Tier::Tier0),
        ("TIER_1K", Tier::Tier1),
        ("TIER_2K", Tier::Tier1),
        ("TIER_10K", Tier::Tier2),
        ("TIER_100K", Tier::Tier3),
        ("TIER_UNLIMITED", Tier::Tier4),
        ("TIER_NOT_SET", Tier::Tier1),
        ("HIGH", Tier::Tier1),
    ];
    for (name, tier) in names {
        let report = json!({"display_phone_number": "351210000000", "event": "UPGRADE", "current_limit": name});
        assert_eq!(tier_after("phone_number_quality_update", &report), tier, "{name}");
    }
    let newer = json!({"event": "UPGRADE", "current_limit": "TIER_1K",
                       "max_daily_conversations_per_business": "TIER_10K"});
    assert_eq!(tier_after("phone_number_quality_update", &newer), Tier::Tier2);
}

#[test]
fn r_acc_3_notices_of_the_business_change_the_tier() {
    for (limit, tier) in [
        (250, Tier::Tier0),
        (1_000, Tier::Tier1),
        (2_000, Tier::Tier1),
        (10_000, Tier::Tier2),
        (100_000, Tier::Tier3),
        (-1, Tier::Tier4),
    ] {
        for name in ["max_daily_conversation_per_phone", "max_daily_conversations_per_business"] {
            let report = json!({ name: limit, "max_phone_numbers_per_business": 2 });
            assert_eq!(tier_after("business_capability_update", &report), tier, "{name} {limit}");
            let as_text = json!({ name: limit.to_string() });
            assert_eq!(tier_after("business_capability_update", &as_text), tier, "{name} {limit}");
        }
    }
}

#[test]
fn r_acc_3_what_says_nothing_of_our_limit_changes_nothing() {
    let others = [
        ("phone_number_quality_update", json!({"display_phone_number": "15550000000", "current_limit": "TIER_10K"})),
        ("phone_number_quality_update", json!({"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"})),
        ("business_capability_update", json!({"max_phone_numbers_per_business": 25})),
        ("account_update", json!({"max_daily_conversation_per_phone": 250})),
        ("phone_number_quality_update", json!([])),
    ];
    for (field, report) in others {
        assert_eq!(tier_after(field, &report), Tier::Tier1, "{field} {report}");
    }
}

#[test]
fn r_acc_2_connecting_again_makes_another_account() {
    let disconnected: WhatsAppAccountEvent = AccountDisconnected { phone_number_id: "1".into() }.into();
    let (first, again) = (after(&[connected("1")]), after(&[connected("1"), disconnected.clone(), connected("1")]));
    let tenant = TenantId::of_slug("acme");
    let id = |account: &WhatsAppAccount| AccountId::of_connection(tenant, account.connected_at.unwrap());
    assert_ne!(id(&first), id(&again));
    assert_eq!(id(&first), AccountId::of_connection(tenant, Position(1)), "the same for ever");
    assert_ne!(id(&first), AccountId::of_connection(TenantId::of_slug("umbra"), Position(1)));
    assert!(after(&[connected("1"), disconnected]).is_given_up());
    assert!(!first.is_given_up() && !WhatsAppAccount::default().is_given_up());
}

#[test]
fn a_connected_number_is_claimed_and_given_back() {
    assert_eq!(connected("1").claims(), [Claim::Take("number:1".into())]);
    let disconnected: WhatsAppAccountEvent = AccountDisconnected { phone_number_id: "1".into() }.into();
    assert_eq!(disconnected.claims(), [Claim::Release("number:1".into())]);
}
