//! R-CUS-1, 2, 3, 7, 8: customers, their tags, and what is told of each.

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{ANA, EVA, NOBODY, RUI, Shop, wa_ids};
use crate::harness::inbox::now;

/// A code of a refusal.
fn code(body: &Value) -> &str {
    body["details"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn r_cus_1_customers_are_who_wrote_who_was_written_to_and_who_is_saved() {
    let shop = Shop::start().await;
    let at = now() - 500;
    shop.named(RUI, "Rui Costa", at).await;
    shop.named(RUI, "Rui Costa", at + 60).await;
    shop.phone_wrote(ANA, "wamid.echo", at + 300).await;
    shop.save(EVA, "Eva Saved").await;
    shop.save(RUI, "Rui Saved").await;
    let data = shop.get("customers").await;
    assert_eq!((wa_ids(&data), &data["totalCount"]), (vec![ANA.into(), RUI.into(), EVA.into()], &json!(3)));
    let rui = &data["customers"][1];
    let time = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(
        *rui,
        json!({"id": rui["id"], "waId": RUI, "name": "Rui Saved", "tags": [], "optInStatus": "unknown",
               "conversationCount": 1, "lastContactedAt": time(at + 60), "createdAt": time(at)})
    );
    assert!(rui["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    let eva = &data["customers"][2];
    assert_eq!((&eva["name"], &eva["lastContactedAt"]), (&json!("Eva Saved"), &Value::Null));
    let profile = shop.get(&format!("customers/{RUI}")).await;
    assert_eq!(
        profile,
        json!({"id": rui["id"], "waId": RUI, "shopId": shop.inbox.tenant, "name": "Rui Saved",
               "profilePictureUrl": null, "consent": {"status": "unknown", "timestamp": null, "source": null},
               "tags": [], "customFields": {}, "stats": {"conversationCount": 1, "averageResponseTime": "0s",
               "lastPurchaseDate": null}})
    );
}

#[tokio::test]
async fn r_cus_1_those_of_one_second_are_in_the_order_of_their_ids_on_every_page() {
    let shop = Shop::start().await;
    let at = now() - 100;
    for n in 0..7 {
        shop.named(&format!("35191200010{n}"), "Same", at).await;
    }
    let all = shop.get("customers?take=100").await;
    let ids: Vec<&str> = all["customers"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == 7, "{ids:?}");
    let mut paged = Vec::new();
    for skip in [0, 3, 6, 9] {
        let answer =
            shop.call(Method::GET, &shop.admin, &format!("customers?take=3&skip={skip}"), None).await.expect(200);
        assert_eq!(
            answer["pagination"],
            json!({"page": skip / 3 + 1, "limit": 3, "total": 7, "totalPages": 3}),
            "{answer}"
        );
        paged.extend(wa_ids(&answer["data"]));
    }
    assert_eq!(paged, wa_ids(&all));
}

#[tokio::test]
async fn r_cus_1_a_customer_nobody_knows_is_not_found() {
    let shop = Shop::start().await;
    for path in [NOBODY, "x", "%20"] {
        let answer = shop.call(Method::GET, &shop.admin, &format!("customers/{path}"), None).await.expect(404);
        assert_eq!(code(&answer), "NOT_FOUND");
    }
    let missing = shop.bare(Method::GET, &shop.admin, "customers", None).await.expect(400);
    assert_eq!((code(&missing), &missing["details"]["field"]), ("MISSING_PARAMETER", &json!("shopId")));
    let foreign = format!("customers?shopId={}", uuid::Uuid::new_v4());
    assert_eq!(code(&shop.bare(Method::GET, &shop.admin, &foreign, None).await.expect(404)), "NOT_FOUND");
    for tags in ["tags", "opt-in"] {
        let body = json!({"addTags": ["a"], "status": "opted_in", "source": "web"});
        assert_eq!(code(&shop.put(&format!("customers/{NOBODY}/{tags}"), body).await.expect(404)), "NOT_FOUND");
    }
    assert_eq!(shop.events("TagCreated").await, 0, "no tag is created for nobody");
}

#[tokio::test]
async fn r_perm_5_agents_know_the_customers_whose_chats_they_may_read() {
    let shop = Shop::start().await;
    let limited = json!({"permissions": {"can_read_chats": "user"}});
    let path = format!("users/{}/", shop.inbox.agent.id);
    shop.inbox.patch(&shop.inbox.admin, &path, limited).await.expect(200);
    shop.named(RUI, "Rui", now() - 50).await;
    shop.named(ANA, "Ana", now() - 40).await;
    shop.save(EVA, "Eva").await;
    shop.give_to_agent(RUI).await;
    let seen = shop.get_as_agent("customers").await.expect(200);
    assert_eq!((wa_ids(&seen["data"]), &seen["data"]["totalCount"]), (vec![RUI.into()], &json!(1)));
    assert_eq!(wa_ids(&shop.get_as_agent("customers?search=3519").await.expect(200)["data"]), [RUI]);
    shop.get_as_agent(&format!("customers/{RUI}")).await.expect(200);
    let wish = json!({"status": "opted_out", "source": "phone"});
    for other in [ANA, EVA, NOBODY] {
        let unknown = shop.get_as_agent(&format!("customers/{other}")).await;
        assert_eq!(code(&unknown.expect(404)), "NOT_FOUND");
        for (what, body) in [("tags", json!({"addTags": ["vip"]})), ("opt-in", wish.clone())] {
            let path = format!("customers/{other}/{what}");
            let refused = shop.call(Method::PUT, &shop.agent, &path, Some(body)).await;
            assert_eq!(code(&refused.expect(404)), "NOT_FOUND", "{other} {what}");
        }
    }
    assert_eq!((shop.events("OptInChanged").await, shop.events("TagCreated").await), (0, 0));
    let path = format!("customers/{RUI}/opt-in");
    shop.call(Method::PUT, &shop.agent, &path, Some(wish)).await.expect(200);
}

#[tokio::test]
async fn r_cus_2_a_search_finds_parts_of_names_and_numbers_in_any_case() {
    let shop = Shop::start().await;
    let at = now() - 500;
    shop.named(RUI, "Rui 50%_Óscar", at).await;
    shop.named(ANA, "Ana", at + 1).await;
    shop.save(ANA, "Dona Anabela").await;
    shop.save(EVA, "Eva").await;
    for (search, expected) in [
        ("", vec![ANA, RUI, EVA]),
        ("ÓSCAR", vec![RUI]),
        ("óscar", vec![RUI]),
        ("0%25_", vec![RUI]),
        ("anabela", vec![ANA]),
        ("3519120003", vec![EVA]),
        ("%2B351%20912-000", vec![ANA, RUI, EVA]),
        ("nobody", vec![]),
    ] {
        let data = shop.get(&format!("customers?search={search}")).await;
        assert_eq!(wa_ids(&data), expected, "{search}");
        assert_eq!(data["totalCount"], expected.len(), "{search}");
    }
    let long = format!("customers?search={}", "x".repeat(201));
    let refused = shop.call(Method::GET, &shop.admin, &long, None).await.expect(400);
    assert_eq!((code(&refused), &refused["details"]["field"]), ("INVALID_PARAMETER", &json!("search")));
}

#[tokio::test]
async fn r_cus_2_tags_find_customers_with_any_of_them() {
    let shop = Shop::start().await;
    let at = now() - 500;
    for (n, wa_id) in [RUI, ANA, EVA].into_iter().enumerate() {
        shop.named(wa_id, "Customer", at + i64::try_from(n).unwrap()).await;
    }
    shop.put(&format!("customers/{RUI}/tags"), json!({"addTags": ["VIP", "new"]})).await.expect(200);
    shop.put(&format!("customers/{ANA}/tags"), json!({"addTags": ["new"]})).await.expect(200);
    for (tags, expected) in [
        ("vip", vec![RUI]),
        ("new", vec![ANA, RUI]),
        ("vip,new", vec![ANA, RUI]),
        ("%20VIP%20,%20none", vec![RUI]),
        ("none", vec![]),
        ("", vec![EVA, ANA, RUI]),
    ] {
        assert_eq!(shop.listed(&format!("customers?tags={tags}")).await, expected, "{tags}");
    }
    assert_eq!(shop.listed(&format!("customers?tags=new&search={ANA}")).await, [ANA]);
    for tags in [",".to_owned(), ",%20,".to_owned(), "x".repeat(1_001), ["x"; 101].join(",")] {
        let refused = shop.call(Method::GET, &shop.admin, &format!("customers?tags={tags}"), None).await.expect(400);
        assert_eq!((code(&refused), &refused["details"]["field"]), ("INVALID_PARAMETER", &json!("tags")), "{tags}");
    }
}

#[tokio::test]
async fn r_cus_3_tags_are_put_on_and_taken_off_by_name_and_only_changes_are_events() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    let path = format!("customers/{RUI}/tags");
    let tagged = shop.put(&path, json!({"addTags": ["vip", "electronics-buyer"]})).await.expect(200);
    assert_eq!(
        tagged,
        json!({"success": true, "data": {"waId": RUI, "tags": ["vip", "electronics-buyer"]}, "error": null,
               "pagination": null})
    );
    let counts = || async {
        (shop.events("TagCreated").await, shop.events("ChatTagged").await, shop.events("ChatUntagged").await)
    };
    assert_eq!(counts().await, (2, 2, 0));
    // What is there already, in any case, and what is not there, change nothing.
    let same = shop.put(&path, json!({"addTags": ["VIP", "vip "], "removeTags": ["unknown"]})).await.expect(200);
    assert_eq!((&same["data"]["tags"], counts().await), (&json!(["vip", "electronics-buyer"]), (2, 2, 0)));
    // In the order in which they were put on; once more is anew.
    let change = json!({"addTags": ["late"], "removeTags": ["Vip"]});
    assert_eq!(shop.put(&path, change).await.expect(200)["data"]["tags"], json!(["electronics-buyer", "late"]));
    let again = shop.put(&path, json!({"addTags": ["vip"]})).await.expect(200);
    assert_eq!(again["data"]["tags"], json!(["electronics-buyer", "late", "vip"]));
    assert_eq!(counts().await, (3, 4, 1));
    assert_eq!(shop.get(&format!("customers/{RUI}")).await["tags"], json!(["electronics-buyer", "late", "vip"]));
    // They are the chat's tags, and its history tells of each change (R-TAG-11, R-TAG-6).
    let inbox = &shop.inbox;
    let chat = inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    assert_eq!(chat["tags"].as_array().map(Vec::len), Some(3), "{chat}");
    let history = inbox.get(&inbox.admin, &format!("chat_tagging_events/?wa_id={RUI}")).await.expect(200);
    assert_eq!(history["count"], 5);
    assert_eq!(shop.put(&path, json!({"addTags": [], "removeTags": []})).await.status, 200);
}

#[tokio::test]
async fn r_cus_3_what_cannot_be_meant_is_refused() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.save(EVA, "Eva").await;
    let path = format!("customers/{RUI}/tags");
    for (body, status, told) in [
        (json!({}), 422, "REQUIRED_FIELD"),
        (json!({"addTags": null}), 422, "REQUIRED_FIELD"),
        (json!({"addTags": ["a", " "]}), 422, "REQUIRED_FIELD"),
        (json!({"removeTags": [""]}), 422, "REQUIRED_FIELD"),
        (json!({"addTags": ["a"], "removeTags": ["A "]}), 422, "INVALID_VALUE"),
        (json!({"addTags": ["x".repeat(1_001)]}), 422, "INVALID_VALUE"),
        (json!({"addTags": ["a\u{0}"]}), 422, "INVALID_VALUE"),
        (json!({"addTags": "a"}), 400, "INVALID_TYPE"),
        (json!({"addTags": [1]}), 400, "INVALID_TYPE"),
        (json!([]), 400, "INVALID_JSON"),
    ] {
        let answer = shop.put(&path, body.clone()).await;
        assert_eq!((answer.status, code(&answer.body)), (status, told), "{body}");
    }
    let none = shop.put(&format!("customers/{EVA}/tags"), json!({"addTags": ["a"]})).await.expect(422);
    assert_eq!((code(&none), &none["details"]["field"]), ("INVALID_VALUE", &json!("waId")));
    assert_eq!(shop.events("TagCreated").await, 0);
}

#[tokio::test]
async fn r_cus_3_of_many_at_once_each_tag_is_created_and_put_on_once() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    let path = format!("customers/{RUI}/tags");
    let calls = (0..8).map(|_| shop.put(&path, json!({"addTags": ["one", "two"], "removeTags": ["three"]})));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.expect(200)["data"]["tags"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!((shop.events("TagCreated").await, shop.events("ChatTagged").await), (2, 2));
}

#[tokio::test]
async fn r_cus_7_the_mean_time_until_a_customer_was_answered() {
    let shop = Shop::start().await;
    let at = now() - 80_000;
    // Two turns: 150 and 450 seconds; the second message of a turn does not begin another, and an unanswered one counts
    // for nothing.
    shop.named(RUI, "Rui", at).await;
    shop.phone_wrote(RUI, "wamid.a", at + 150).await;
    shop.phone_wrote(RUI, "wamid.b", at + 160).await;
    shop.named(RUI, "Rui", at + 1_000).await;
    shop.named(RUI, "Rui", at + 1_100).await;
    shop.phone_wrote(RUI, "wamid.c", at + 1_450).await;
    shop.named(RUI, "Rui", at + 5_000).await;
    let told = |profile: Value| profile["stats"]["averageResponseTime"].clone();
    assert_eq!(told(shop.get(&format!("customers/{RUI}")).await), "5m");
    // An answer that failed was none: 160 and 450 seconds then.
    shop.inbox.status("wamid.a", RUI, "failed", at + 170).await;
    assert_eq!(told(shop.get(&format!("customers/{RUI}")).await), "5m 5s");
}

#[tokio::test]
async fn r_cus_8_no_purchase_is_known_yet() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    let profile = shop.get(&format!("customers/{RUI}")).await;
    assert_eq!(profile["stats"].get("lastPurchaseDate"), Some(&Value::Null));
}

#[tokio::test]
async fn a_forgotten_customer_keeps_its_number_and_its_no_alone() {
    let shop = Shop::start().await;
    let (inbox, at) = (&shop.inbox, now() - 100);
    shop.named(RUI, "Rui Costa", at).await;
    shop.save(EVA, "Eva").await;
    let wish = json!({"status": "opted_out", "source": "letter of Rui"});
    shop.put(&format!("customers/{RUI}/opt-in"), wish).await.expect(200);
    for wa_id in [RUI, EVA] {
        inbox.post(&inbox.admin, &format!("contacts/{wa_id}/erase/"), json!({})).await.expect(200);
    }
    assert_eq!(shop.listed("customers").await, [RUI]);
    let rui = shop.get(&format!("customers/{RUI}")).await;
    assert_eq!(
        (&rui["name"], &rui["consent"]["status"], &rui["consent"]["source"]),
        (&json!(""), &json!("opted_out"), &Value::Null)
    );
    let left = inbox.count("SELECT count(*) FROM ledger.events WHERE payload::text LIKE '%letter of Rui%'").await;
    assert_eq!(left + inbox.count("SELECT count(*) FROM read_models.customers WHERE search LIKE '%costa%'").await, 0);
}
