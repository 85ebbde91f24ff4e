//! A history as CSV (RFC 4180), safe to open in a spreadsheet. The columns and their order stay as they are.

use std::{borrow::Cow, io::Write};

use chatledger_application::audit::Entry;

use super::exact;

/// The columns.
pub const COLUMNS: [&str; 18] = [
    "position",
    "recorded_at",
    "occurred_at",
    "kind",
    "version",
    "stream",
    "sequence",
    "who_kind",
    "who_id",
    "who",
    "on_behalf_of_id",
    "on_behalf_of",
    "what",
    "family",
    "correlation_id",
    "causation",
    "hash",
    "erased_at",
];

/// Writes a history line by line.
pub struct Writer<W: Write>(::csv::Writer<W>);

impl<W: Write> Writer<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn new(output: W) -> Result<Self, ::csv::Error> {
        let mut writer = ::csv::Writer::from_writer(output);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn write(&mut self, entry: &Entry) -> Result<(), ::csv::Error> {
        let stored = &entry.stored;
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let on_behalf_of = entry.on_behalf_of.as_ref();
        let who = match entry.who.name() {
            Some(name) => name,
            None if entry.who.kind() == "whatsapp" => "WhatsApp",
            None => "",
        };
        let row = [
            stored.position.to_string(),
            exact(stored.recorded_at),
            exact(stored.occurred_at),
            stored.event_type.clone(),
            stored.event_version.clone(),
            format!("{}/{}", stored.aggregate_type, stored.aggregate_id),
            stored.sequence.to_string(),
            entry.who.kind().to_owned(),
            number(entry.who.id()),
            who.to_owned(),
            number(on_behalf_of.map(|label| label.id)),
            on_behalf_of.and_then(|label| label.name.clone()).unwrap_or_default(),
            entry.what.clone(),
            entry.family.clone(),
            entry.correlation_id.clone(),
            number(entry.causation),
            stored.hash.clone(),
            stored.erased_at.map(exact).unwrap_or_default(),
        ];
        self.0.write_record(row.iter().map(|cell| harmless(cell).into_owned()))
    }

    /// Writes what is left, and gives the output back.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn finish(self) -> std::io::Result<W> {
        self.0.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
    }
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets do not show.
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+351", "-1", "@SUM(A1)", "\tx", "\rx", "|calc", "%x"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("the customer wrote: “=1+1”"), "the customer wrote: “=1+1”");
        assert_eq!(harmless(""), "");
    }
}
