//! Progress of long work: a bar on a terminal, lines of JSON elsewhere.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with rate and remaining time; on standard error.
pub struct Bar {
    what: &'static str,
    unit: &'static str,
    bar: Option<ProgressBar>,
    since: Instant,
    told: AtomicI64,
}

impl Bar {
    /// A new bar that counts events.
    pub fn new(what: &'static str) -> Self {
        Self::counting(what, "events")
    }

    /// A new bar that counts something else.
    pub fn counting(what: &'static str, unit: &'static str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style =
            format!("{{msg}} {{wide_bar}} {{percent}}% {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} to go");
        let bar = terminal.then(|| {
            let bar = ProgressBar::new(0).with_message(what);
            if let Ok(style) = ProgressStyle::with_template(&style) {
                bar.set_style(style);
            }
            bar
        });
        Self { what, unit, bar, since: Instant::now(), told: AtomicI64::new(-1) }
    }

    /// Says how far the work is.
    pub fn set(&self, done: i64, total: i64) {
        let (position, length) = (u64::try_from(done).unwrap_or(0), u64::try_from(total).unwrap_or(0));
        if let Some(bar) = &self.bar {
            bar.set_length(length);
            bar.set_position(position);
            return;
        }
        // A line each tenth, so that logs stay short.
        let tenth = if total > 0 { done * 10 / total } else { 10 };
        if self.told.swap(tenth, Ordering::Relaxed) != tenth {
            let seconds = self.since.elapsed().as_secs_f64().max(0.001);
            let rate = position as f64 / seconds;
            let left = if rate > 0.0 { ((total - done) as f64 / rate).round() } else { 0.0 };
            let mut line = serde_json::json!({
                "progress": self.what, "done": done, "total": total, "percent": tenth * 10, "seconds_to_go": left,
            });
            line[format!("{}_per_second", self.unit)] = rate.round().into();
            eprintln!("{line}");
        }
    }

    /// Prints something that stays, above the bar.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
