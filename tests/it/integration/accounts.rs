//! Contract §K: the WhatsApp number of the inbox.

use serde_json::{Value, json};

use super::keys;
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn whatsapp_accounts_shows_the_one_number_of_the_inbox() {
    let inbox = Inbox::start().await;
    let answer = inbox.get(&inbox.bot, "whatsapp_accounts/").await;
    assert_eq!(keys(&answer.text), "count next previous results");
    let page = answer.expect(200);
    let number = page["results"][0]["phone_number"].as_str().expect("text").to_owned();
    assert!(number.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())), "{number}");
    let account = json!({"phone_number": number, "this_instance": true});
    assert_eq!(page, json!({"count": 1, "next": null, "previous": null, "results": [account]}));
    assert_eq!(inbox.page(&inbox.bot, "whatsapp_accounts/?this_instance=true").await, page);
    assert_eq!(inbox.total(&inbox.bot, "whatsapp_accounts/?this_instance=0").await, 0);
    assert_eq!(inbox.page(&inbox.bot, "whatsapp_accounts/?offset=1").await["results"], json!([]));
    let wrong = inbox.get(&inbox.bot, "whatsapp_accounts/?this_instance=perhaps").await.expect(400);
    assert_eq!(wrong["this_instance"], json!(["Must be a valid boolean."]));
}

#[tokio::test]
async fn r_gen_1_each_tenant_sees_its_own_number() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "100000000000777").await;
    let eva = inbox.add_user_to("other", "eva", chatledger_domain::Role::User).await;
    let page: Value = inbox.page(&eva, "whatsapp_accounts/").await;
    assert_eq!(page["results"], json!([{"phone_number": "+351220000000", "this_instance": true}]));
}
