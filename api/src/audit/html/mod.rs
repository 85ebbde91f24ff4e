//! A history as a report in one file: a summary, a picture, a table. It opens from a disk, asks for nothing from
//! elsewhere, and needs no script; the one that it has only searches the table.
//!
//! All text goes through `maud`, which escapes it; and the page forbids every script and style but its own, by their
//! hashes, so that nothing that a customer wrote could run even then.

mod lanes;
mod picture;

use std::{collections::BTreeSet, sync::LazyLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use chatledger_application::audit::{ChatAsOf, Entry};
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use self::lanes::Board;
use super::{Head, Summary, readable, readable_second};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The most entries that one report holds.
pub const MOST: usize = 20_000;

/// What the page may do: its own style and script, nothing else.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// The report. `more` says where the history goes on that it does not hold.
#[must_use]
pub fn report(head: &Head, summary: &Summary, entries: &[Entry], more: Option<&str>) -> String {
    let board = Board::of(head, entries);
    let (from, until) = bounds(head, entries);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(*POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (head.title) " · audit of " (head.tenant) }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { (head.title) }
                p.under {
                    "Inbox " (head.tenant) " · " (summary.entries) " events, up to position " (head.span.through)
                    " · made " (readable(head.made_at)) " UTC"
                    @if !head.kinds.is_empty() { " · only " (head.kinds.join(", ")) }
                }
                @if let Some(more) = more { p.note { (more) } }
                div.cards {
                    (counts(summary))
                    @if let Some((_, chat)) = &head.chat { (state(chat)) }
                }
                @if !entries.is_empty() {
                    h2 { "Timeline" }
                    div.picture { (picture::picture(&board, from, until)) }
                    @if board.left_out > 0 { p.under { "and " (board.left_out) " more, not drawn" } }
                }
                h2 { "Events" }
                (table(entries))
                footer {
                    "Times are UTC, those at which the events were recorded. Names are those of the time. "
                    "Hashes are links of the ledger's chain: " code { "chatledger ledger verify" } " proves them."
                }
            } script { (PreEscaped(SCRIPT)) } }
        }
    };
    page.into_string()
}

/// From when to when the picture goes.
fn bounds(head: &Head, entries: &[Entry]) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = entries.first().map_or(head.made_at, |entry| entry.stored.recorded_at);
    let last = entries.last().map_or(head.made_at, |entry| entry.stored.recorded_at);
    // A little room after the last, so that what goes on is seen to.
    (first, last + ((last - first) / 30).max(chrono::TimeDelta::seconds(1)))
}

fn counts(summary: &Summary) -> Markup {
    html! {
        div.card {
            h3 { "What" }
            @if summary.kinds.is_empty() { p { "Nothing was recorded." } }
            @for (kind, count) in ordered(&summary.kinds).into_iter().take(8) { p { (count) " × " (kind) } }
        }
        div.card {
            h3 { "By whom" }
            @for (who, count) in ordered(&summary.people).into_iter().take(8) { p { (count) " × " (who) } }
            @if summary.erased > 0 { p { "The content of " (summary.erased) " events was erased." } }
        }
    }
}

fn ordered(of: &std::collections::BTreeMap<String, u64>) -> Vec<(&String, u64)> {
    let mut all: Vec<_> = of.iter().map(|(name, count)| (name, *count)).collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}

fn state(chat: &ChatAsOf) -> Markup {
    let label = |label: &Option<_>| label.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    html! {
        div.card {
            h3 { "As of position " (chat.position) }
            @if let Some(name) = &chat.name { p { "Customer: " bdi { (name) } } }
            p { "User: " (label(&chat.user)) }
            p { "Group: " (label(&chat.group)) }
            p { "Tags: "
                @if chat.tags.is_empty() { "none" }
                @for (index, applied) in chat.tags.iter().enumerate() { @if index > 0 { ", " } (applied.tag) }
            }
            p { "Window: " (window(chat)) }
            p { "Resolved: " @if chat.resolved { "yes" } @else { "no" } }
            p { (chat.incoming) " messages from the customer, " (chat.outgoing) " from this side" }
        }
    }
}

fn window(chat: &ChatAsOf) -> String {
    match (chat.window_closes_at, chat.window_open) {
        (Some(at), true) => format!("open until {}", readable_second(at)),
        (Some(at), false) => format!("closed since {}", readable_second(at)),
        (None, _) => "never opened".to_owned(),
    }
}

fn table(entries: &[Entry]) -> Markup {
    let kinds: BTreeSet<&str> = entries.iter().map(|entry| entry.stored.event_type.as_str()).collect();
    html! {
        div.find hidden {
            input #text type="search" placeholder="Find in the table" aria-label="Find in the table";
            select #kind aria-label="Kind" {
                option value="" { "all kinds" }
                @for kind in kinds { option value=(kind) { (kind) } }
            }
            span #shown {}
        }
        div.table { table {
            thead { tr {
                th { "Position" } th { "Recorded" } th { "Who" } th { "What" } th { "By way of" } th { "Because of" }
                th { "Correlation" } th { "Hash" }
            } }
            tbody { @for entry in entries { (row(entry)) } }
        } }
    }
}

fn row(entry: &Entry) -> Markup {
    let stored = &entry.stored;
    let erased = if stored.erased_at.is_some() { "erased" } else { "" };
    html! {
        tr id={ "p" (stored.position) } class=(erased) data-kind=(stored.event_type) {
            td.n { (stored.position) }
            td.t title=(super::exact(stored.recorded_at)) { (readable(stored.recorded_at)) }
            td.who { bdi { (entry.who) } @if let Some(other) = &entry.on_behalf_of { br; "for " bdi { (other) } } }
            td.what { bdi { (entry.what) } br; span.kind { (stored.event_type) " · " (stored.aggregate_type) "/" (stored.aggregate_id) " #" (stored.sequence) } }
            td { (entry.family) }
            td.n { @if let Some(cause) = entry.causation { a href={ "#p" (cause) } { (cause) } } }
            td { code title=(entry.correlation_id) { (super::text::end_of(&entry.correlation_id)) } }
            td { code title=(stored.hash) { (stored.hash.get(..12).unwrap_or_default()) } }
        }
    }
}
