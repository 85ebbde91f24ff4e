//! Contract §K: saved responses (R-SAV-1).

use serde_json::{Value, json};

use super::{NOT_FOUND, column};
use crate::harness::inbox::{Inbox, now};

#[tokio::test]
async fn r_sav_1_saved_responses_are_everybodys() {
    let inbox = Inbox::start().await;
    let save = async |by, text: &str| inbox.post(by, "saved_responses/", json!({"text": text})).await.expect(201);
    let first = save(&inbox.agent, "  Thanks, 100%!  ").await;
    assert!((now() - 60..=now()).contains(&first["timestamp"].as_i64().expect("seconds")));
    assert_eq!(
        first,
        json!({"id": first["id"], "text": "Thanks, 100%!", "created_by": "agent", "timestamp": first["timestamp"]})
    );
    assert!(first["id"].is_i64());
    let second = save(&inbox.bot, "One moment, please. ÁGUA").await;
    let third = save(&inbox.admin, "Thanks again").await;
    for user in [&inbox.agent, &inbox.bot, &inbox.admin] {
        let page = inbox.page(user, "saved_responses/").await;
        assert_eq!(page["results"], json!([third, second, first]));
        assert_eq!(page["count"], 3);
    }
    let found = async |text: &str| {
        let page = inbox.page(&inbox.bot, &format!("saved_responses/?text={text}")).await;
        assert_eq!(page["count"], page["results"].as_array().map_or(0, Vec::len), "{text}");
        column(&page, "/id")
    };
    assert_eq!(found("THANKS").await, [third["id"].clone(), first["id"].clone()]);
    assert_eq!(found("%C3%A1gua").await, [second["id"].clone()]);
    assert_eq!(found("0%25").await, [first["id"].clone()]);
    assert_eq!(found("").await.len(), 3);
    // Anybody deletes, once.
    let path = format!("saved_responses/{}/", first["id"]);
    assert_eq!(inbox.delete(&inbox.bot, &path).await.status, 204);
    let again = inbox.delete(&inbox.bot, &path).await;
    assert_eq!((again.status, again.text.as_str()), (404, NOT_FOUND));
    assert_eq!(column(&inbox.page(&inbox.agent, "saved_responses/").await, "/id").len(), 2);
}

#[tokio::test]
async fn r_sav_1_created_by_is_the_users_present_name_whatever_became_of_it() {
    let inbox = Inbox::start().await;
    inbox.post(&inbox.agent, "saved_responses/", json!({"text": "Thanks"})).await.expect(201);
    let user = format!("users/{}/", inbox.agent.id);
    inbox.patch(&inbox.admin, &user, json!({"username": "ines"})).await.expect(200);
    assert_eq!(inbox.delete(&inbox.admin, &user).await.status, 204);
    assert_eq!(column(&inbox.page(&inbox.admin, "saved_responses/").await, "/created_by"), ["ines"]);
}

#[tokio::test]
async fn saved_responses_say_what_is_wrong_and_stay_within_their_tenant() {
    let inbox = Inbox::start().await;
    let long = "a".repeat(4_097);
    for (body, message) in [
        (json!({}), "This field is required."),
        (json!({"text": null}), "This field may not be null."),
        (json!({"text": "  "}), "This field may not be blank."),
        (json!({"text": []}), "Not a valid string."),
        (json!({"text": "\u{0}"}), "Null characters are not allowed."),
        (json!({ "text": long }), "Ensure this field has no more than 4096 characters."),
    ] {
        let told = inbox.post(&inbox.agent, "saved_responses/", body).await.expect(400);
        assert_eq!(told, json!({"text": [message], "reason": format!("text: {message}")}));
    }
    let mine = inbox.post(&inbox.agent, "saved_responses/", json!({"text": "Mine"})).await.expect(201);
    inbox.add_tenant("other", "other.example", "555").await;
    let stranger = inbox.add_user_to("other", "stranger", chatledger_domain::Role::Admin).await;
    assert_eq!(inbox.page(&stranger, "saved_responses/").await["results"], json!([]));
    let user: Value = json!(inbox.agent.id);
    for id in [&mine["id"], &json!(0), &json!(-1), &json!("x"), &json!("99999999999999999999"), &user] {
        let path = format!("saved_responses/{}/", id.to_string().trim_matches('"'));
        assert_eq!(inbox.delete(&stranger, &path).await.status, 404, "{path}");
    }
    assert_eq!(inbox.total(&inbox.agent, "saved_responses/").await, 1);
}
