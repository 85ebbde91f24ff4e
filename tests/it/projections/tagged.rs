//! R-CUS-3: lists of customers by tag and by text, whoever asks, against a look at each customer.

use chatledger_domain::{
    chat::ChatTagged,
    tag::{TagCreated, TagEvent},
};
use chatledger_projections::views::{CustomerFilter, CustomerView};

use super::{history::tag_as_it_was, *};

#[tokio::test]
async fn r_cus_3_customers_with_a_tag_are_those_that_a_look_at_each_finds() {
    let database = database().await;
    let ledger = ledger(&database).await;
    let mut w = Writer::new(ledger.clone(), TenantId::of_slug("tagged"));
    let live = engine(&database.pool, &ledger, 60);
    let (groups, users, tags) = set_up(&mut w, "tagged").await;
    generate(&mut w, 11, 1_200, &users, &groups, &tags).await;
    let created = TagCreated { name: "Often".into(), web_inbox_color: None, done_by: UserId(users[0]) };
    let often = w.add("Tag", "Often", TagEvent::from(created));
    for chat in (0..20).filter(|chat| chat % 4 > 0) {
        let tagged = ChatTagged { tag: tag_as_it_was(often), extra: None, done_by: None, timestamp: 9_000 };
        w.chat(&format!("35191200{chat:03}"), tagged);
    }
    w.write().await;
    let inbox = Inbox::new(database.pool.clone());
    let admin = inbox_actor(&database, &live, &inbox, &w, users[0]).await;
    let askers = [
        admin.clone(),
        agent(&admin, users[1], Scope::User, &[]),
        agent(&admin, users[1], Scope::Group, &groups),
        agent(&admin, users[2], Scope::Group, &groups[1..2]),
        agent(&admin, users[2], Scope::None, &groups),
    ];
    // One has another name since, one was deleted.
    let questions: [(&[&str], Option<&str>); 11] = [
        (&["often"], None),
        (&["often", "vip"], None),
        (&["vip"], None),
        (&["BILLING 50%"], None),
        (&["VIP", "Billing 50%"], None),
        (&["urgent"], None),
        (&["Old"], None),
        (&["vip", "no"], None),
        (&[], Some("0000")),
        (&[], Some("A")),
        (&["often"], Some("01")),
    ];
    let (mut found, mut empty, mut cut) = (0, 0, 0);
    for actor in &askers {
        let all = inbox.customers(w.tenant, actor, &CustomerFilter::default(), ALL).await.unwrap().rows;
        for (names, search) in questions {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let carries =
                |tags: &[String]| tags.iter().any(|tag| names.iter().any(|name| name.eq_ignore_ascii_case(tag)));
            let is_wanted = |customer: &&CustomerView| {
                let text = format!("{}\n{}", customer.name.to_lowercase(), customer.wa_id.as_str());
                (names.is_empty() || carries(&customer.tags))
                    && search.is_none_or(|search| text.contains(&search.to_lowercase()))
            };
            let wanted: Vec<_> = all.iter().filter(is_wanted).collect();
            found += wanted.len();
            empty += usize::from(wanted.is_empty());
            cut += usize::from(search.is_some() && !wanted.is_empty() && wanted.len() < all.len());
            for (limit, offset) in [(100, 0), (1, 0), (2, 1), (3, 3), (5, 50)] {
                let filter = CustomerFilter { tags: names.clone(), search: search.map(str::to_owned) };
                let part = PageRequest { limit, offset };
                let page = inbox.customers(w.tenant, actor, &filter, part).await.unwrap();
                let of_part: Vec<_> = wanted.iter().copied().skip(offset as usize).take(limit as usize).collect();
                let what = format!("{:?} {names:?} {search:?} {limit} {offset}", actor.user);
                assert_eq!(page.count as usize, wanted.len(), "{what}");
                assert_eq!(page.rows.iter().collect::<Vec<_>>(), of_part, "{what}");
            }
        }
    }
    assert!(found > 30 && empty > 5 && cut > 5, "{found} {empty} {cut}");
    live.stop().await;
}
