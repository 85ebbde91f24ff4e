//! The questions of the README: asked as they stand there, by a role that may only read, and answered a second time
//! from the facts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use chrono::{DateTime, Datelike, Days, Timelike};

use super::{
    drop_role, reader, role_name, rows,
    scenario::{By, Said, Scenario, filled},
};

/// Each question of the README with its SQL.
fn questions() -> Vec<(String, String)> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let section = readme.split("\n## ").find(|of| of.starts_with("Questions to the data\n")).expect("the section");
    let (mut found, mut question, mut sql) = (Vec::new(), String::new(), None::<String>);
    for line in section.lines() {
        match (&mut sql, line) {
            (None, "```sql") => sql = Some(String::new()),
            (Some(text), "```") => {
                found.push((std::mem::take(&mut question), std::mem::take(text)));
                sql = None;
            }
            (Some(text), line) => *text += &format!("{line}\n"),
            (None, line) => {
                if let Some(bold) = line.strip_prefix("**").and_then(|line| line.strip_suffix("**")) {
                    question = bold.to_owned();
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn the_ten_questions_of_the_readme_are_answered_as_the_facts_say() {
    let (database, facts) = filled().await;
    let role = role_name();
    let mut reader = reader(&database.url, &role, &["--tenant", "acme"]).await;
    let questions = questions();
    assert_eq!(questions.len(), 10);
    for (question, sql) in questions {
        let expected = answer(&facts, &question);
        assert!(expected.len() > 1, "{question}: the facts say too little");
        assert_eq!(rows(&mut reader, &sql).await, expected, "{question}\n{sql}");
    }
    drop(reader);
    drop_role(&database.url, &role).await;
}

fn answer(facts: &Scenario, question: &str) -> Vec<Vec<String>> {
    match question.split_whitespace().take(3).collect::<Vec<_>>().join(" ").as_str() {
        "How many messages" => by_day(facts),
        "At which hours" => by_hour(facts),
        "How fast do" => by_week(facts),
        "Who waits for" => waiting(facts),
        "How much does" => load(facts),
        "Which tags do" => tags(facts),
        "Who tagged this" => history(facts),
        "How long does" => kept(facts),
        "What became of" => sent(facts),
        "To whom may" => windows(facts),
        other => panic!("nobody answers {other}"),
    }
}

fn time(at: i64) -> String {
    DateTime::from_timestamp(at, 0).expect("a time").format("%Y-%m-%d %H:%M:%S+00").to_string()
}

fn day(at: i64) -> chrono::NaiveDate {
    DateTime::from_timestamp(at, 0).expect("a time").date_naive()
}

fn row<const N: usize>(values: [&dyn ToString; N]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

impl Scenario {
    fn contact(&self, wa_id: &str) -> String {
        self.contacts.iter().find(|(id, _)| id == wa_id).expect("known").1.clone()
    }

    fn user(&self, id: i64) -> &'static str {
        self.users.iter().find(|(known, _)| *known == id).expect("known").1
    }

    fn kind(&self, said: &Said) -> &'static str {
        match said.by {
            By::Customer => "customer",
            By::Phone => "phone",
            By::User(id) if self.user(id) == "robot" => "program",
            By::User(_) => "person",
        }
    }

    /// A chat's messages in the order in which people see them.
    fn chat(&self, wa_id: &str) -> Vec<&Said> {
        let mut all: Vec<_> = self.said.iter().filter(|said| said.wa_id == wa_id).collect();
        all.sort_by_key(|said| (said.at, said.position));
        all
    }

    /// The turns of all customers: the first question, how many messages, the answer.
    fn turns(&self) -> Vec<(&Said, i64, Option<&Said>)> {
        let mut turns = Vec::new();
        for (wa_id, _) in &self.contacts {
            let mut open: Option<(&Said, i64)> = None;
            for said in self.chat(wa_id) {
                match (said.by, &mut open) {
                    (By::Customer, _) if said.kind == "system" => {}
                    (By::Customer, None) => open = Some((said, 1)),
                    (By::Customer, Some((_, count))) => *count += 1,
                    _ if said.failed => {}
                    _ => turns.extend(open.take().map(|(first, count)| (first, count, Some(said)))),
                }
            }
            turns.extend(open.map(|(first, count)| (first, count, None)));
        }
        turns
    }
}

fn by_day(facts: &Scenario) -> Vec<Vec<String>> {
    let mut days = BTreeMap::<_, (i64, i64, BTreeSet<&str>)>::new();
    for said in &facts.said {
        let day = days.entry(day(said.at)).or_default();
        if said.by == By::Customer {
            day.0 += 1;
            day.2.insert(&said.wa_id);
        } else {
            day.1 += 1;
        }
    }
    days.iter().map(|(day, (came, went, who))| row([day, came, went, &who.len()])).collect()
}

fn by_hour(facts: &Scenario) -> Vec<Vec<String>> {
    let mut hours = BTreeMap::<u32, i64>::new();
    for said in facts.said.iter().filter(|said| said.by == By::Customer) {
        // Three hours behind UTC all year since 2019.
        *hours.entry(DateTime::from_timestamp(said.at - 3 * 3_600, 0).expect("a time").hour()).or_default() += 1;
    }
    hours.iter().map(|(hour, count)| row([hour, count])).collect()
}

/// The smallest value that at least this part of all do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn by_week(facts: &Scenario) -> Vec<Vec<String>> {
    let mut weeks = BTreeMap::<_, Vec<i64>>::new();
    for (first, _, answer) in facts.turns() {
        let Some(answer) = answer else { continue };
        let asked = day(first.at);
        let monday = asked - Days::new(asked.weekday().num_days_from_monday().into());
        weeks.entry((monday, facts.kind(answer))).or_default().push(answer.at - first.at);
    }
    let line = |((week, kind), mut seconds): ((chrono::NaiveDate, &str), Vec<i64>)| {
        seconds.sort_unstable();
        row([&week, &kind, &seconds.len(), &percentile(&seconds, 50), &percentile(&seconds, 90)])
    };
    weeks.into_iter().map(line).collect()
}

fn waiting(facts: &Scenario) -> Vec<Vec<String>> {
    let mut open: Vec<_> = facts.turns().into_iter().filter(|(_, _, answer)| answer.is_none()).collect();
    open.sort_by_key(|(first, _, _)| (first.at, first.wa_id.clone()));
    open.iter()
        .map(|(first, count, _)| row([&first.wa_id, &facts.contact(&first.wa_id), &time(first.at), count]))
        .collect()
}

fn load(facts: &Scenario) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for (id, name) in facts.users.iter().filter(|(_, name)| *name != "robot") {
        let (mut chats, mut open, mut waiting, mut since) = (0, 0, 0, None::<i64>);
        for (wa_id, _) in &facts.contacts {
            let holder = facts.assigned.iter().rev().find(|of| of.wa_id == *wa_id).and_then(|of| of.user);
            if holder != Some(*id) {
                continue;
            }
            let said = facts.chat(wa_id);
            let wrote = said.iter().rev().find(|said| said.by == By::Customer && said.kind != "system");
            let resolved = facts.resolved.iter().rev().find(|(of, _)| of == wa_id).is_some_and(|(_, at)| {
                // Two things of one second happened in the order of the ledger, which resolving has no place in here.
                wrote.is_none_or(|wrote| wrote.at <= *at)
            });
            let last = said.last().expect("an assigned chat has messages");
            chats += 1;
            open += i64::from(!resolved);
            if !resolved && last.by == By::Customer {
                waiting += 1;
                since = Some(since.map_or(last.at, |since| since.min(last.at)));
            }
        }
        let since = since.map_or("~".to_owned(), time);
        lines.push(row([name, &chats, &open, &waiting, &since]));
    }
    lines
}

fn tags(facts: &Scenario) -> Vec<Vec<String>> {
    let mut now = BTreeMap::<(&str, &str), bool>::new();
    for tagged in &facts.tagged {
        now.insert((tagged.tag, &tagged.wa_id), tagged.added);
    }
    let mut counts = BTreeMap::<&str, i64>::new();
    for ((tag, _), _) in now.iter().filter(|(_, stands)| **stands) {
        *counts.entry(tag).or_default() += 1;
    }
    counts.iter().map(|(tag, count)| row([tag, count])).collect()
}

fn history(facts: &Scenario) -> Vec<Vec<String>> {
    let of_chat = facts.tagged.iter().filter(|tagged| tagged.wa_id == "351912000001");
    of_chat
        .map(|tagged| {
            let action = if tagged.added { "added" } else { "removed" };
            row([&time(tagged.at), &action, &tagged.tag, &tagged.by.map_or("~", |id| facts.user(id))])
        })
        .collect()
}

fn kept(facts: &Scenario) -> Vec<Vec<String>> {
    let mut spans = BTreeMap::<&str, Vec<i64>>::new();
    for (wa_id, _) in &facts.contacts {
        let steps: Vec<_> = facts.assigned.iter().filter(|of| of.wa_id == *wa_id).collect();
        for pair in steps.windows(2) {
            if let Some(user) = pair[0].user {
                spans.entry(facts.user(user)).or_default().push(pair[1].at - pair[0].at);
            }
        }
    }
    let line = |(agent, mut seconds): (&str, Vec<i64>)| {
        seconds.sort_unstable();
        row([&agent, &seconds.len(), &percentile(&seconds, 50)])
    };
    spans.into_iter().map(line).collect()
}

fn sent(facts: &Scenario) -> Vec<Vec<String>> {
    let mut lines = BTreeMap::<&str, [i64; 4]>::new();
    for said in &facts.said {
        let By::User(user) = said.by else { continue };
        let line = lines.entry(facts.user(user)).or_default();
        for (count, counts) in line.iter_mut().zip([true, said.delivered, said.read, said.failed]) {
            *count += i64::from(counts);
        }
    }
    lines.iter().map(|(sender, [all, came, read, failed])| row([sender, all, came, read, failed])).collect()
}

fn windows(facts: &Scenario) -> Vec<Vec<String>> {
    let now = crate::harness::inbox::now();
    let mut open = Vec::new();
    for (wa_id, name) in &facts.contacts {
        let said = facts.chat(wa_id);
        let wrote = said.iter().rev().find(|said| said.by == By::Customer && said.kind != "system");
        open.extend(wrote.map(|wrote| (wrote.at + 86_400, wa_id, name)).filter(|(closes, _, _)| *closes > now));
    }
    open.sort();
    open.iter().map(|(closes, wa_id, name)| row([wa_id, name, &time(*closes)])).collect()
}
