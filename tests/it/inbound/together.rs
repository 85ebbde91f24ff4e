//! What WhatsApp tells at once stays together in the ledger, whoever else is writing.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_iwh_1_a_call_of_many_customers_is_one_stretch_of_the_ledger() {
    let inbox = Inbox::start().await;
    // Twenty calls at once, each of the same ten customers: the streams are contended, too.
    let calls = (0..20).map(|call| {
        let who = |customer: usize| format!("35191200{customer:04}");
        let messages: Vec<_> =
            (0..10).map(|n| text_message(&who(n), &format!("wamid.{call}.{n}"), now(), "Hello")).collect();
        let contacts: Vec<_> = (0..10).map(|n| contact(&who(n), &format!("Customer {n} of {call}"))).collect();
        inbox.bring(json!({"contacts": contacts, "messages": messages}))
    });
    join_all(calls).await;
    let messages = inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessageReceived'").await;
    assert_eq!(messages, 200);
    let calls = "SELECT max(position) - min(position) + 1 - count(*) AS holes FROM ledger.events \
                 WHERE metadata::json #>> '{actor,kind}' = 'whatsapp' GROUP BY metadata::json ->> 'correlation_id'";
    assert_eq!(inbox.count(&format!("SELECT count(*) FROM ({calls}) c")).await, 20);
    assert_eq!(inbox.count(&format!("SELECT coalesce(sum(holes), 0)::bigint FROM ({calls}) c")).await, 0);
}
