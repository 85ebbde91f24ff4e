//! A history as a table to read in a terminal, and what a chat was like in a few lines.

use std::io::Write;

use chatledger_application::audit::{ChatAsOf, Entry, Label, plain};

use super::{Head, Summary, readable, readable_second};

/// Characters of ids and hashes that are shown.
const SHORT: usize = 12;

/// Writes one line of the table. `names_streams`: also what it happened to, where that is not always the same.
///
/// # Errors
/// When nothing can be written.
pub fn write(output: &mut impl Write, entry: &Entry, names_streams: bool) -> std::io::Result<()> {
    let who = match &entry.on_behalf_of {
        Some(other) => format!("{} for {other}", entry.who),
        None => entry.who.to_string(),
    };
    let stored = &entry.stored;
    let of = if names_streams { format!("{} {}: ", stored.aggregate_type, stored.aggregate_id) } else { String::new() };
    writeln!(
        output,
        "{:>8}  {}  {:<24}  {:<11}  {:<13}  {:>8}  {:<12}  {of}{}",
        stored.position,
        readable(stored.recorded_at),
        cut(&plain(&who), 24),
        cut(&entry.family, 11),
        end_of(&entry.correlation_id),
        entry.causation.map_or_else(|| "-".to_owned(), |position| position.to_string()),
        stored.hash.get(..SHORT).unwrap_or_default(),
        entry.what
    )
}

/// Writes what stands above the table.
///
/// # Errors
/// When nothing can be written.
pub fn write_head(output: &mut impl Write, head: &Head, summary: &Summary) -> std::io::Result<()> {
    writeln!(output, "{} of {}, up to position {}", plain(&head.title), head.tenant, head.span.through)?;
    match (summary.first, summary.last) {
        (Some((first, since)), Some((last, until))) => writeln!(
            output,
            "{} event(s) at positions {first} to {last}, recorded {} to {} UTC",
            summary.entries,
            readable(since),
            readable(until)
        )?,
        _ => writeln!(output, "nothing was recorded of it in this part of the ledger")?,
    }
    if !head.kinds.is_empty() {
        writeln!(output, "only: {}", head.kinds.join(", "))?;
    }
    if summary.entries > 0 {
        writeln!(output, "what:     {}", Summary::leading(&summary.kinds, 6))?;
        writeln!(output, "by whom:  {}", plain(&Summary::leading(&summary.people, 6)))?;
    }
    if summary.erased > 0 {
        writeln!(output, "erased:   the content of {} event(s)", summary.erased)?;
    }
    if let Some((_, chat)) = &head.chat {
        writeln!(output)?;
        write_state(output, chat)?;
    }
    if summary.entries > 0 {
        writeln!(
            output,
            "\n{:>8}  {:<19}  {:<24}  {:<11}  {:<13}  {:>8}  {:<12}  what",
            "position", "recorded (UTC)", "who", "by way of", "correlation", "because", "hash"
        )?;
    }
    Ok(())
}

/// Writes what a chat was like.
///
/// # Errors
/// When nothing can be written.
pub fn write_state(output: &mut impl Write, chat: &ChatAsOf) -> std::io::Result<()> {
    let nobody = || "nobody".to_owned();
    let label = |label: &Option<Label>| label.as_ref().map_or_else(nobody, |label| plain(&label.to_string()));
    let name = chat.name.as_deref().map(|name| format!(" ({})", plain(name))).unwrap_or_default();
    writeln!(output, "as of position {}, {} UTC:", chat.position, readable(chat.time))?;
    writeln!(output, "  customer  {}{name}", chat.wa_id)?;
    writeln!(output, "  user      {}", label(&chat.user))?;
    writeln!(output, "  group     {}", label(&chat.group))?;
    let tags: Vec<String> =
        chat.tags.iter().map(|applied| format!("{} since position {}", applied.tag, applied.tagging)).collect();
    writeln!(output, "  tags      {}", if tags.is_empty() { "none".to_owned() } else { plain(&tags.join(", ")) })?;
    let window = match (chat.window_closes_at, chat.window_open) {
        (Some(at), true) => format!("open until {} UTC", readable_second(at)),
        (Some(at), false) => format!("closed since {} UTC", readable_second(at)),
        (None, _) => "never opened".to_owned(),
    };
    writeln!(output, "  window    {window}")?;
    writeln!(output, "  resolved  {}", if chat.resolved { "yes" } else { "no" })?;
    let newest = chat.newest_message.map(|at| format!(", the newest {} UTC", readable_second(at))).unwrap_or_default();
    writeln!(output, "  messages  {} from the customer, {} from us{newest}", chat.incoming, chat.outgoing)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The end of an id, where ids made one after the other differ.
pub(super) fn end_of(id: &str) -> String {
    let length = id.chars().count();
    if length <= SHORT + 1 {
        return id.to_owned();
    }
    std::iter::once('…').chain(id.chars().skip(length - SHORT)).collect()
}
