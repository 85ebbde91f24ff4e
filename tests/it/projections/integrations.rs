//! What connects programs to an inbox, in the tests of the read models.

use chatledger_domain::{
    Endpoint, GroupId, RuleId, SecretId, TagId, UserId,
    api_token::{ApiTokenEvent, ApiTokenIssued, ApiTokenRevoked},
    rule_engine::*,
    webhook::*,
};
use uuid::Uuid;

use super::history::Writer;

/// Webhooks, rules and tokens: of each one that stays and one that is gone.
pub fn set_up(w: &mut Writer, users: &[i64], tags: &[i64]) {
    let endpoint = |name: &str| Endpoint {
        origin: format!("https://{name}\0.example"),
        header_names: vec!["Authorization".into()],
        secret: SecretId(Uuid::new_v4()),
    };
    let (admin, subscriptions) = (UserId(users[0]), Subscriptions::default());
    for user in &users[..2] {
        let registered = WebhookRegistered { user: UserId(*user), endpoint: endpoint("crm"), subscriptions };
        w.add("WebhookSubscription", &user.to_string(), WebhookEvent::from(registered));
    }
    let changed = WebhookChanged { endpoint: endpoint("erp"), subscriptions, done_by: admin };
    w.add("WebhookSubscription", &users[0].to_string(), WebhookEvent::from(changed));
    let disabled = WebhookDisabled { reason: DisableReason::OnlyFailures, since: 5, timestamp: 432_005 };
    for user in &users[..2] {
        w.add("WebhookSubscription", &user.to_string(), WebhookEvent::from(disabled.clone()));
    }
    let enabled = WebhookEnabled { replay: true, done_by: Some(admin) };
    w.add("WebhookSubscription", &users[1].to_string(), WebhookEvent::from(enabled));
    let deleted = WebhookDeleted { user: UserId(users[1]), done_by: admin };
    w.add("WebhookSubscription", &users[1].to_string(), WebhookEvent::from(deleted));
    let mut rules = Vec::new();
    for place in [2, 1, 1] {
        let (tagged_with, target) = (Some(TagId(tags[0])), Target::User(admin));
        let added = RuleAdded { tagged_with, target, place, done_by: admin };
        rules.push(RuleId(w.add("RuleEngine", "rule_engine", RuleEngineEvent::from(added))));
    }
    let target = Target::Group { id: GroupId(1), method: AssignMethod::RoundRobin };
    let changed = RuleChanged { rule: rules[1], tagged_with: None, target, place: 3, done_by: admin };
    w.add("RuleEngine", "rule_engine", RuleEngineEvent::from(changed));
    w.add("RuleEngine", "rule_engine", RuleEngineEvent::from(RuleDeleted { rule: rules[2], done_by: admin }));
    for mode in Mode::ALL {
        let endpoint = (mode == Mode::Custom).then(|| endpoint("rules"));
        let configured = RuleEngineConfigured { mode, endpoint, done_by: admin };
        w.add("RuleEngine", "rule_engine", RuleEngineEvent::from(configured));
    }
    for name in ["ERP", "old"] {
        let (abilities, last_four) = (vec!["contacts.read".into()], "3fa9".into());
        let issued =
            ApiTokenIssued { name: name.into(), abilities, expires_at: None, issued_at: 5, last_four, done_by: admin };
        w.add("ApiToken", name, ApiTokenEvent::from(issued));
    }
    w.add("ApiToken", "old", ApiTokenEvent::from(ApiTokenRevoked { done_by: admin }));
}
