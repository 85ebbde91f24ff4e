//! Tables made from the running server, held against files that a person has read.

use std::{fs, path::PathBuf};

/// Wants a Markdown table to be the committed one; `UPDATE_SNAPSHOTS=1` writes it anew, for review.
pub fn holds(path: &str, table: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, table).expect("the table can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<String> = table
        .lines()
        .filter(|line| !committed.lines().any(|old| old == *line))
        .map(|line| {
            let row = |text: &str| text.split('|').nth(1).map(str::to_owned);
            let old = committed.lines().find(|old| row(old) == row(line)).unwrap_or("(no row)");
            format!("now {line}\nwas {old}")
        })
        .collect();
    assert!(changed.is_empty(), "{}\nRead it, then adopt it with UPDATE_SNAPSHOTS=1.", changed.join("\n"));
    assert_eq!(table.lines().count(), committed.lines().count(), "{} has rows of no case", path.display());
}
