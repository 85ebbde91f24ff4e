//! Writes a history in any form, part by part, so that its length does not matter.

use std::io::{Seek, SeekFrom, Write};

use chatledger_application::{
    audit::{Entry, Names, Wanted},
    ports::audit::Subject,
};
use chatledger_domain::{Position, TenantId};
use chrono::Utc;
use tempfile::SpooledTempFile;

use super::{Failure, progress::Bar};
use crate::{
    audit::{Format, Head, Summary, csv, html, ndjson, text},
    bootstrap::Tools,
};

/// Entries that are worked on at once.
const PART: i64 = 1_000;
/// A shorter part of a ledger is looked through before anybody has read how far it is.
const LONG: i64 = 100_000;
/// A table of more bytes waits on the disk for what stands above it.
const IN_MEMORY: usize = 8 << 20;

/// What is asked for.
pub struct Asked {
    pub tenant: TenantId,
    pub slug: String,
    pub subject: Subject,
    pub wanted: Wanted,
    pub format: Format,
}

/// Where entries go.
enum Sink<W: Write> {
    /// What stands above a table is only known at its end. And whether lines say what they are about.
    Text(W, SpooledTempFile, bool),
    Csv(Box<csv::Writer<W>>),
    Ndjson(std::io::BufWriter<W>),
    Html(W, Vec<Entry>),
}

/// Writes a history.
pub async fn write(tools: &Tools, asked: Asked, output: impl Write, shows_progress: bool) -> Result<(), Failure> {
    let Asked { tenant, slug, subject, wanted, format } = asked;
    let application = &tools.application;
    let span = application.audit_span(tenant, &wanted).await?;
    let mut sink = match format {
        Format::Text => Sink::Text(output, SpooledTempFile::new(IN_MEMORY), !matches!(subject, Subject::Chat(_))),
        Format::Csv => Sink::Csv(Box::new(csv::Writer::new(output)?)),
        Format::Ndjson => Sink::Ndjson(std::io::BufWriter::new(output)),
        Format::Html => Sink::Html(output, Vec::new()),
    };
    let length = span.through.0 - span.after.0;
    let bar = (shows_progress && length > LONG).then(|| Bar::new("audit"));
    let (mut rest, mut names, mut summary) = (span, Names::default(), Summary::default());
    let mut more = None;
    while rest.after < rest.through && more.is_none() {
        let part = application.timeline(tenant, &subject, rest, &wanted.kinds, (PART, 1), &mut names).await?;
        rest.after = part.seen;
        for entry in part.entries {
            more = sink.full_at(&entry);
            if more.is_some() {
                break;
            }
            summary.add(&entry);
            sink.add(entry)?;
        }
        if let Some(bar) = &bar {
            bar.set(rest.after.0 - span.after.0, length);
        }
    }
    if let Some(bar) = bar {
        bar.finish();
    }
    names.learn_subject(application, tenant, &subject).await?;
    let head = Head {
        title: Head::title_of(&subject, &names, span.through),
        tenant: slug,
        chat: match format {
            Format::Csv | Format::Ndjson => None,
            Format::Text | Format::Html => application.chat_around(tenant, &subject, span).await?,
        },
        subject,
        span,
        kinds: wanted.kinds,
        made_at: Utc::now(),
    };
    sink.finish(&head, &summary, more)
}

impl<W: Write> Sink<W> {
    fn add(&mut self, entry: Entry) -> Result<(), Failure> {
        match self {
            Self::Text(_, table, names_streams) => text::write(table, &entry, *names_streams)?,
            Self::Csv(writer) => writer.write(&entry)?,
            Self::Ndjson(writer) => ndjson::write(writer, &entry)?,
            Self::Html(_, entries) => entries.push(entry),
        }
        Ok(())
    }

    /// The position that does not fit any more.
    fn full_at(&self, entry: &Entry) -> Option<Position> {
        matches!(self, Self::Html(_, entries) if entries.len() >= html::MOST).then_some(entry.stored.position)
    }

    fn finish(self, head: &Head, summary: &Summary, more: Option<Position>) -> Result<(), Failure> {
        match self {
            Self::Text(mut output, mut table, _) => {
                text::write_head(&mut output, head, summary)?;
                table.seek(SeekFrom::Start(0))?;
                std::io::copy(&mut table, &mut output)?;
                output.flush()?;
            }
            Self::Csv(writer) => writer.finish()?.flush()?,
            Self::Ndjson(mut writer) => writer.flush()?,
            Self::Html(mut output, entries) => {
                let more = more.map(|position| {
                    format!(
                        "A report holds {} events. This history goes on at position {position}: ask for that part with \
                         --from, or for all of it as CSV or NDJSON.",
                        html::MOST
                    )
                });
                output.write_all(html::report(head, summary, &entries, more.as_deref()).as_bytes())?;
                output.flush()?;
            }
        }
        Ok(())
    }
}
