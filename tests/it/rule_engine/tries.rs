//! Programs that are slow, broken or away.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn r_rul_6_three_tries_for_what_may_pass_and_five_seconds_for_each() {
    let inbox = Inbox::start().await;
    let bot = inbox.bot.id.0;
    let engine = engine(&inbox, json!({})).await;
    first(&engine, vec![Manner::Silent, Manner::status(503)], bot);
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None));
    let calls = engine.calls();
    assert_eq!(calls.iter().map(|call| call.header("x-chatledger-attempt")).collect::<Vec<_>>(), ["1", "2", "3"]);
    let pauses: Vec<u64> = calls.windows(2).map(|two| (two[1].at - two[0].at).as_secs()).collect();
    assert!((7..9).contains(&pauses[0]) && (10..12).contains(&pauses[1]), "{pauses:?}");
    assert!(calls.iter().all(|call| call.header("webhook-id") == calls[0].header("webhook-id")));
    assert!(calls.iter().all(|call| call.raw == calls[0].raw), "the same bytes each time");
}

#[tokio::test]
async fn r_rul_6_what_is_no_answer_is_no_assignment_and_is_not_asked_for_again() {
    let inbox = Inbox::start().await;
    let bot = inbox.bot.id.0;
    let engine = engine(&inbox, json!({})).await;
    let assignment = json!({"assignment": [{"chat_id": RUI, "user": bot}]}).to_string();
    let answers = [
        Manner::status(404),
        Manner::Answer(201, "", assignment.clone()),
        Manner::Answer(302, "location: http://127.0.0.1:1/\r\n", assignment.clone()),
        Manner::Answer(200, "", "<html>".into()),
        Manner::Answer(200, "", String::new()),
        Manner::Answer(200, "", format!("{assignment}{}", " ".repeat(70_000))),
    ];
    for (number, answer) in (1..).zip(answers) {
        engine.behave(answer);
        inbox.customer_writes(RUI, "Hello").await;
        decided(&inbox).await;
        assert_eq!(engine.count(), number);
    }
    assert!(assignments(&inbox, RUI).await.is_empty());
    engine.behave(Manner::Answer(200, "", format!("{assignment}{}", " ".repeat(60_000))));
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None), "up to 64 KiB");
}

#[tokio::test]
async fn a_chat_waits_for_its_own_answers_only() {
    let inbox = Inbox::start().await;
    let bot = inbox.bot.id.0;
    let engine = engine(&inbox, json!({})).await;
    engine.answer(move |call| match call.body["messages"][0]["text"]["body"].as_str() {
        Some("wait") => Manner::Slow(Duration::from_secs(3)),
        _ => for_message(call, json!({ "user": bot })),
    });
    inbox.customer_writes(RUI, "wait").await;
    engine.wait_for(1).await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_writes(ANA, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None));
    let calls = engine.wait_for(3).await;
    let order: Vec<&Value> = calls.iter().map(|call| &call.body["messages"][0]["from"]).collect();
    assert_eq!(order, [RUI, ANA, RUI], "the second message of the chat after the first");
    assert!(calls[2].at - calls[0].at >= Duration::from_secs(3));
    assert!(calls[1].at - calls[0].at < Duration::from_secs(3), "another chat does not wait");
}

#[tokio::test]
async fn a_slow_program_of_one_tenant_does_not_delay_another() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "5555").await;
    let boss = inbox.add_user_to("other", "boss", Role::Admin).await;
    let to_boss = json!({"assign_to_user": boss.id.0});
    inbox.post(&boss, "settings/rule_engine/rules/", to_boss).await.expect(201);
    let engine = engine(&inbox, json!({})).await;
    engine.behave(Manner::Silent);
    for number in 0..40 {
        inbox.customer_wrote(&format!("35191300{number:03}"), "Hello", 1_767_700_000).await;
    }
    let body = inbox.call(json!({"contacts": [], "messages": [crate::harness::inbox::text_message(
        RUI, "wamid.other", crate::harness::inbox::now(), "Hello")]}));
    let body = body.to_string().replace(&inbox.phone_number_id, "5555");
    let start = Instant::now();
    assert_eq!(inbox.deliver(&body).await.status, 200);
    loop {
        let now = inbox.get(&boss, &format!("chat_assignment/{RUI}/")).await;
        if now.status == 200 && now.expect(200)["assigned_to_user"] == boss.id.0 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "the other tenant waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
