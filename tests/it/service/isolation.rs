//! R-JWT-2, R-ERR-3: on every endpoint, what is another shop's is answered, byte for byte, as what is not there.
//!
//! The endpoints come from the route table: one without a case fails.

use std::collections::BTreeSet;

use chatledger_api::route_table;
use chatledger_domain::TenantId;
use reqwest::Method;
use serde_json::{Value, json};

use super::shop::Shop;
use crate::harness::{
    http::Answer,
    inbox::{Inbox, contact, now, text_message},
};

const NUMBER: &str = "990000000000001";

/// How each endpoint is asked: operation, path below the base, body. What is in angle brackets is probed: our own,
/// another's, one that is not there. `own shop` is always ours.
const CASES: &[(&str, &str, &str)] = &[
    ("service_create_token", "auth/token", r#"{"username": "nobody", "password": "wrong", "shopId": "<shop>"}"#),
    ("service_list_conversations", "conversations?shopId=<shop>", ""),
    ("service_get_conversation", "conversations/<conversation>", ""),
    (
        "service_send_message",
        "conversations/<conversation>/messages",
        r#"{"content": {"type": "text", "text": "Hello"}}"#,
    ),
    ("service_assign_conversation", "conversations/<conversation>/assign", r#"{"agentId": null}"#),
    ("service_close_conversation", "conversations/<conversation>/close", "{}"),
    ("service_list_customers", "customers?shopId=<shop>", ""),
    ("service_get_customer", "customers/<customer>?shopId=<own shop>", ""),
    ("service_get_customer", "customers/<own customer>?shopId=<shop>", ""),
    ("service_put_customer_tags", "customers/<customer>/tags?shopId=<own shop>", r#"{"addTags": ["vip"]}"#),
    ("service_put_customer_tags", "customers/<own customer>/tags?shopId=<shop>", r#"{"addTags": ["vip"]}"#),
    (
        "service_put_opt_in",
        "customers/<customer>/opt-in?shopId=<own shop>",
        r#"{"status": "opted_in", "source": "web"}"#,
    ),
    (
        "service_put_opt_in",
        "customers/<own customer>/opt-in?shopId=<shop>",
        r#"{"status": "opted_in", "source": "web"}"#,
    ),
    ("service_message_analytics", "analytics/messages?shopId=<shop>", ""),
    ("service_conversation_analytics", "analytics/conversations?shopId=<shop>", ""),
    (
        "service_connect_account",
        "accounts",
        r#"{"shopId": "<shop>", "phoneNumberId": "990000000000009", "accessToken": "x"}"#,
    ),
    ("service_get_account", "accounts/<shop>", ""),
    // Ours is disconnected by this: the last.
    ("service_disconnect_account", "accounts/<shop>", ""),
];

/// What a question names.
#[derive(Clone)]
pub struct Named {
    pub shop: String,
    pub conversation: String,
    pub customer: String,
}

impl Named {
    pub fn fill(&self, text: &str, own: &Self) -> String {
        let filled = text.replace("<own shop>", &own.shop).replace("<own customer>", &own.customer);
        let filled = filled.replace("<shop>", &self.shop).replace("<conversation>", &self.conversation);
        filled.replace("<customer>", &self.customer)
    }

    /// An answer without what the question named.
    fn shown(&self, answer: &Answer) -> (u16, String) {
        let mut text = answer.text.clone();
        for name in [&self.shop, &self.conversation, &self.customer] {
            text = text.replace(name.as_str(), "?");
        }
        (answer.status, text)
    }
}

/// A customer writes to a number: the shop, its conversation and the customer.
pub async fn writes(shop: &Shop, slug: Option<&str>, number: &str, customer: &str) -> Named {
    let inbox = &shop.inbox;
    let message = text_message(customer, &format!("wamid.{customer}"), now(), &format!("canary{customer}"));
    let value = json!({"contacts": [contact(customer, &format!("canary{customer}"))], "messages": [message]});
    let call = inbox.call(value).to_string().replace(&inbox.phone_number_id, number);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    inbox.settle().await;
    let tenant = slug.map_or(inbox.tenant, |slug| TenantId::of_slug(slug).0);
    let conversation: uuid::Uuid =
        sqlx::query_scalar("SELECT conversation_id FROM read_models.conversations WHERE tenant_id = $1 AND wa_id = $2")
            .bind(tenant)
            .bind(customer)
            .fetch_one(&inbox.pool)
            .await
            .expect("a conversation");
    Named { shop: tenant.to_string(), conversation: conversation.to_string(), customer: customer.to_owned() }
}

async fn head(inbox: &Inbox, slug: &str) -> i64 {
    sqlx::query_scalar("SELECT head_position FROM ledger.heads WHERE tenant_id = $1")
        .bind(TenantId::of_slug(slug).0)
        .fetch_one(&inbox.pool)
        .await
        .expect("a head")
}

#[tokio::test]
async fn r_jwt_2_and_r_err_3_every_endpoint_answers_foreign_ids_as_unknown_ones() {
    let shop = Shop::start().await;
    shop.inbox.add_tenant_with_account("acme", "acme.example", NUMBER).await;
    let number = shop.inbox.phone_number_id.clone();
    let theirs = writes(&shop, Some("acme"), NUMBER, "351914000001").await;
    let unknown = Named {
        shop: uuid::Uuid::new_v4().to_string(),
        // The same tenant's tag, as a conversation of ours would have it.
        conversation: format!("{}{}", &shop.inbox.tenant.to_string()[..8], &uuid::Uuid::new_v4().to_string()[8..]),
        customer: "351914000009".to_owned(),
    };
    let routes = route_table();
    let before = head(&shop.inbox, "acme").await;
    let mut wrong = Vec::new();
    for (at, (operation, path, body)) in CASES.iter().enumerate() {
        let route = routes.iter().find(|route| route.operation == *operation);
        let route = route.unwrap_or_else(|| panic!("no endpoint is called {operation}"));
        let method: Method = route.method.parse().expect("a method");
        let own = writes(&shop, None, &number, &format!("35191300{at:04}")).await;
        let ask = async |named: &Named| {
            let body: Option<Value> =
                (!body.is_empty()).then(|| serde_json::from_str(&named.fill(body, &own)).expect("JSON"));
            shop.bare(method.clone(), &shop.admin, &named.fill(path, &own), body).await
        };
        let (foreign, absent) = (ask(&theirs).await, ask(&unknown).await);
        if theirs.shown(&foreign) != unknown.shown(&absent) || foreign.text.contains("canary35191400") {
            wrong.push(format!("{operation} {path}: foreign {} unknown {}", foreign.text, absent.text));
        }
        let there = ask(&own).await;
        let is_blind = *operation == "service_create_token";
        if there.status >= 500 || (!is_blind && own.shown(&there) == unknown.shown(&absent)) {
            wrong.push(format!("{operation} {path}: our own is answered as if it were not there: {}", there.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(head(&shop.inbox, "acme").await, before, "the other shop was changed");
}

#[test]
fn every_endpoint_of_the_family_has_a_case() {
    let asked: BTreeSet<&str> = CASES.iter().map(|(operation, ..)| *operation).collect();
    for route in route_table().iter().filter(|route| route.operation.starts_with("service_")) {
        assert!(asked.contains(route.operation), "no case of {}", route.operation);
    }
}
