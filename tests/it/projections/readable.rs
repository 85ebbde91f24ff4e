//! R-PERM-7: every list holds what its reader may read, in whole and in parts, and says how long it is.

use super::*;

#[tokio::test]
async fn r_perm_7_lists_hold_readable_chats_only_and_counts_agree() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("scopes"));
    let live = engine(&database.pool, &ledger, 2_000);
    let (groups, users, tags) = set_up(&mut w, "scopes").await;
    generate(&mut w, 6, 1_500, &users, &groups, &tags).await;
    let inbox = Inbox::new(database.pool.clone());
    let admin = inbox_actor(&database, &live, &inbox, &w, users[0]).await;
    let all = inbox.chats(w.tenant, &admin, &ChatFilter::default(), ALL).await.unwrap();
    assert_eq!(all.count as usize, all.rows.len());
    let keys: Vec<_> = all.rows.iter().map(|chat| (chat.person.last_message_timestamp, &chat.person.wa_id)).collect();
    assert!(keys.is_sorted_by(|a, b| a.0 > b.0 || (a.0 == b.0 && a.1 < b.1)), "{keys:?}");
    for user in &users[..3] {
        let actor = inbox.caller(w.tenant, UserId(*user)).await.unwrap().unwrap().actor;
        let readable: Vec<&WaId> = all
            .rows
            .iter()
            .filter(|chat| {
                let user = chat.assigned_user.as_ref().map(|user| user.id);
                let group = chat.assigned_group.as_ref().map(|group| group.id);
                actor.may_read(chatledger_domain::permission::Assignment { user, group })
            })
            .map(|chat| &chat.person.wa_id)
            .collect();
        let chats = inbox.chats(w.tenant, &actor, &ChatFilter::default(), ALL).await.unwrap();
        assert_eq!(chats.rows.iter().map(|chat| &chat.person.wa_id).collect::<Vec<_>>(), readable);
        assert_eq!(chats.count as usize, readable.len());
        for filter in [
            MessageFilter::default(),
            MessageFilter { from_us: Some(false), ..MessageFilter::default() },
            MessageFilter { search: Some("OLÁ".into()), ..MessageFilter::default() },
            MessageFilter { tag: Some(chatledger_domain::TagId(tags[0])), ..MessageFilter::default() },
            MessageFilter { since: Some(1_010), before: Some(1_060), ..MessageFilter::default() },
            MessageFilter { assigned_to_me: true, ..MessageFilter::default() },
        ] {
            let part = PageRequest { limit: 5_000, offset: 0 };
            let messages = inbox.messages(w.tenant, &actor, &filter, part).await.unwrap();
            assert_eq!(messages.count as usize, messages.rows.len(), "{filter:?}");
            assert!(messages.rows.iter().all(|message| readable.contains(&&message.wa_id)));
            // Short parts are read another way; they must be cut from the same list.
            for (limit, offset) in [(10, 0), (7, 15), (30, 31)] {
                let part = inbox.messages(w.tenant, &actor, &filter, PageRequest { limit, offset }).await.unwrap();
                let of = |rows: &[chatledger_projections::views::MessageView]| {
                    rows.iter().map(|message| message.message_id).collect::<Vec<_>>()
                };
                let whole = of(&messages.rows);
                let wanted: Vec<_> = whole.into_iter().skip(offset as usize).take(limit as usize).collect();
                assert_eq!((part.count, of(&part.rows)), (messages.count, wanted), "{filter:?} {limit} {offset}");
            }
        }
        let to_me = ChatFilter { assigned_to_me: true, ..ChatFilter::default() };
        let in_group =
            |group| ChatFilter { assigned_group: Some(chatledger_domain::GroupId(group)), ..ChatFilter::default() };
        for filter in [ChatFilter::default(), to_me, in_group(groups[0]), in_group(groups[1])] {
            let whole = inbox.chats(w.tenant, &actor, &filter, ALL).await.unwrap();
            // With a filter that every chat passes, chats are found by looking at each.
            let passed = ChatFilter { messages_since: Some(0), ..filter.clone() };
            let same = inbox.chats(w.tenant, &actor, &passed, ALL).await.unwrap();
            assert_eq!((whole.count, &whole.rows), (same.count, &same.rows), "{filter:?}");
            let part = inbox.chats(w.tenant, &actor, &filter, PageRequest { limit: 3, offset: 2 }).await.unwrap();
            let wanted: Vec<_> = whole.rows.into_iter().skip(2).take(3).collect();
            assert_eq!((part.count, part.rows), (whole.count, wanted), "{filter:?}");
        }
        let persons = inbox.persons(w.tenant, &actor, None, ALL).await.unwrap();
        assert_eq!((persons.count as usize, persons.rows.len()), (readable.len(), readable.len()));
        for page in [
            inbox.chat_tagging_events(w.tenant, &actor, &HistoryFilter::default(), ALL).await.unwrap(),
            inbox.message_tagging_events(w.tenant, &actor, &HistoryFilter::default(), ALL).await.unwrap(),
        ] {
            assert_eq!(page.count as usize, page.rows.len());
            assert!(page.rows.iter().all(|event| readable.contains(&&event.wa_id)));
        }
        let events = inbox.assignment_events(w.tenant, &actor, &HistoryFilter::default(), ALL).await.unwrap();
        assert_eq!(events.count as usize, events.rows.len());
    }
    for (search, found) in
        [("costa", true), ("ÉMile", true), ("35191200", true), ("vip", true), ("%", true), ("_", false)]
    {
        let filter = ChatFilter { search: Some(search.into()), ..ChatFilter::default() };
        let page = inbox.chats(w.tenant, &admin, &filter, ALL).await.unwrap();
        assert_eq!((page.count > 0, page.count as usize), (found, page.rows.len()), "{search}");
    }
    let directory = TenantDirectory::new(database.pool.clone(), live.watch());
    assert_eq!(directory.by_phone_number_id("5 of scopes").await.unwrap().map(|entry| entry.id), Some(w.tenant));
    assert_eq!(directory.by_host("acme.example").await.unwrap().map(|entry| entry.slug), Some("scopes".into()));
    assert_eq!(directory.by_tag(&w.tenant.tag()).await.unwrap(), [w.tenant]);
    let models = Models::new(database.pool.clone(), live.watch());
    assert_eq!(models.user_by_name(w.tenant, "ADMIN1").await.unwrap(), Some(UserId(users[0])));
    assert!(!models.wait_for(w.tenant, Position(w.head + 1), Duration::from_millis(30)).await);
    live.stop().await;
}
