//! Given / when / then for WhatsApp accounts.

use cqrs_es::test::TestFramework;

use super::*;
use crate::decider::EventSourced;

type Given = TestFramework<EventSourced<WhatsAppAccount>>;

fn connected(id: &str) -> WhatsAppAccountEvent {
    AccountConnected {
        phone_number_id: id.into(),
        display_phone_number: "+351210000000".into(),
        channel: Channel::Cloud,
        waba_id: None,
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
    WhatsAppAccountCommand::Connect { number }
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
