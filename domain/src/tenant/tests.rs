//! Given / when / then for tenants.

use cqrs_es::test::TestFramework;

use super::*;
use crate::decider::EventSourced;

type Given = TestFramework<EventSourced<Tenant>>;

fn create() -> TenantCommand {
    TenantCommand::Create { slug: "acme".into(), name: "Acme".into(), hosts: vec![] }
}

#[test]
fn a_tenant_is_created_once() {
    let created: TenantEvent = TenantCreated { slug: "acme".into(), name: "Acme".into(), hosts: vec![] }.into();
    Given::with(()).given_no_previous_events().when(create()).then_expect_events(vec![created.clone()]);
    Given::with(()).given(vec![created]).when(create()).then_expect_error(TenantRefusal::Exists);
}

#[test]
fn r_auth_8_a_providers_key_opens_the_inbox_unless_told_otherwise() {
    let stored: Settings = serde_json::from_str(r#"{"free_entry_window":false}"#).unwrap();
    assert!(stored.provider_authentication && stored == Settings::default());
}

#[test]
fn r_cus_6_stop_and_start_are_keywords_unless_told_otherwise() {
    let stored: Settings = serde_json::from_str(r#"{"opt_in_keywords":[]}"#).unwrap();
    assert_eq!((stored.opt_out_keywords.as_slice(), stored.opt_in_keywords.len()), (&["STOP".to_owned()][..], 0));
    let kept = serde_json::to_value(Settings::default()).unwrap();
    assert!(kept.get("opt_out_keywords").is_none(), "{kept}");
    assert_eq!(serde_json::from_value::<Settings>(kept).unwrap(), Settings::default());
}
