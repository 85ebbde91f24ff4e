//! R-JWT-3: the lists of somebody who may not read everything, page by page.

use serde_json::{Value, json};

use super::{conversations::iso, shop::Shop};
use crate::harness::inbox::{contact, now, text_message};

/// Customers, and how many of them are the agent's.
const CUSTOMERS: usize = 30;
const HELD: usize = 20;
/// Rows of a page.
const TAKE: usize = 3;

fn customer(index: usize) -> String {
    format!("3519120001{index:02}")
}

/// Who a row is about.
fn whose(row: &Value) -> &str {
    row["customerWaId"].as_str().or(row["waId"].as_str()).expect("a customer")
}

impl Shop {
    /// Customers who wrote, three in the same second; every other one had a conversation before, and the newest message of
    /// most chats, the agent's and others, is a notice of WhatsApp's of the same second, which is of no conversation.
    async fn crowded(&self) {
        let (at, names) = (now() - 3_600, (0..CUSTOMERS).map(|index| contact(&customer(index), "Somebody")));
        let wrote = |index: usize, at: i64| {
            let from = customer(index);
            text_message(&from, &format!("wamid.{from}.{at}"), at, "Hello")
        };
        let mut messages = Vec::new();
        messages.extend((0..CUSTOMERS).step_by(2).map(|index| wrote(index, at - 200_000 - index as i64)));
        messages.extend((0..CUSTOMERS).map(|index| wrote(index, at - (index / 3) as i64)));
        let notice = |index: usize| {
            json!({"from": customer(index), "id": format!("wamid.notice.{index}"), "timestamp": (at + 600).to_string(),
                   "type": "system", "system": {"body": "The customer has another number"}})
        };
        messages.extend((HELD / 4..CUSTOMERS).map(notice));
        self.inbox.bring(json!({"contacts": names.collect::<Vec<_>>(), "messages": messages})).await;
        self.inbox.settle().await;
        for index in 0..HELD {
            self.give_to_agent(&customer(index)).await;
        }
        self.inbox.settle().await;
    }

    /// A list as a token is shown it, put together from its pages.
    async fn paged(&self, list: &str, question: &str) -> Vec<Value> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let path = format!("{list}?{question}take={TAKE}&skip={}", rows.len());
            let mut page = self.get_as_agent(&path).await.expect(200);
            let found = page["data"][list].as_array_mut().expect("a list").split_off(0);
            let is_last = found.len() < TAKE;
            rows.extend(found);
            if is_last {
                assert_eq!(page["data"]["totalCount"], json!(rows.len()), "{path}");
                return rows;
            }
        }
    }
}

#[tokio::test]
async fn r_jwt_3_the_pages_of_an_agent_are_the_whole_list_without_what_is_others() {
    let shop = Shop::start().await;
    shop.crowded().await;
    let held: Vec<String> = (0..HELD).map(customer).collect();
    for scope in ["user", "group"] {
        let permissions = json!({"permissions": {"can_read_chats": scope}});
        let path = format!("users/{}/", shop.inbox.agent.id);
        shop.inbox.patch(&shop.inbox.admin, &path, permissions).await.expect(200);
        let questions: &[(&str, &str, usize)] = match scope {
            "user" => &[("conversations", "", 30), ("customers", "", 20)],
            _ => &[("conversations", "status=active&", 20), ("conversations", "status=expired&", 10)],
        };
        for (list, question, many) in questions {
            let all = shop.get(&format!("{list}?{question}take=100")).await;
            let is_held = |row: &&Value| held.iter().any(|id| id == whose(row));
            let readable: Vec<&Value> = all[list].as_array().expect("a list").iter().filter(is_held).collect();
            assert_eq!(readable.len(), *many, "{scope} {list} {question}");
            assert_eq!(shop.paged(list, question).await.iter().collect::<Vec<_>>(), readable, "{scope} {list}");
        }
    }
    let newest = shop.get_as_agent("conversations?take=1").await.expect(200);
    let newest = newest["data"]["conversations"][0]["lastMessageAt"].as_str().expect("a time");
    assert!(newest < iso(now() - 3_500).as_str(), "not the notice's: {newest}");
    let of_agent = format!("conversations?take=100&assignedAgentId={}", shop.inbox.agent.id);
    assert_eq!(shop.get(&of_agent).await["totalCount"], 30, "as an admin asks for them");
}
