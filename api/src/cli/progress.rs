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
    bar: Option<ProgressBar>,
    since: Instant,
    told: AtomicI64,
}

impl Bar {
    /// A new bar.
    pub fn new(what: &'static str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style = "{msg} {wide_bar} {percent}% {human_pos}/{human_len} events, {per_sec}, {eta} to go";
        let bar = terminal.then(|| {
            let bar = ProgressBar::new(0).with_message(what);
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        });
        Self { what, bar, since: Instant::now(), told: AtomicI64::new(0) }
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
            let rate = position as f64 / self.since.elapsed().as_secs_f64().max(0.001);
            let line = serde_json::json!({
                "progress": self.what, "done": done, "total": total, "percent": tenth * 10,
                "events_per_second": rate.round(),
                "seconds_to_go": (length.saturating_sub(position) as f64 / rate.max(1.0)).round(),
            });
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
