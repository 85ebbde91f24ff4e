//! The picture of a history: lanes over time, drawn as SVG.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::lanes::{Bar, Board, Lane, Mark};
use crate::audit::readable;

const WIDTH: f64 = 1_200.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 28.0;
const HEIGHT: f64 = 26.0;
/// Marks that are nearer than this are one.
const NEAR: f64 = 7.0;
const TICKS: i32 = 6;

/// Time along the picture.
struct Axis {
    from: DateTime<Utc>,
    seconds: f64,
}

impl Axis {
    fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let seconds = (until - from).num_milliseconds() as f64 / 1_000.0;
        Self { from, seconds: seconds.max(0.001) }
    }

    fn x(&self, at: DateTime<Utc>) -> f64 {
        let seconds = (at - self.from).num_milliseconds() as f64 / 1_000.0;
        LEFT + (seconds / self.seconds).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn tick(&self, number: i32) -> (f64, String) {
        let part = f64::from(number) / f64::from(TICKS);
        let at = self.from + TimeDelta::milliseconds((self.seconds * part * 1_000.0) as i64);
        let form = match self.seconds as i64 {
            0..=20 => "%H:%M:%S%.3f",
            21..=600 => "%H:%M:%S",
            601..=86_400 => "%H:%M",
            86_401..=604_800 => "%d %b %H:%M",
            _ => "%Y-%m-%d",
        };
        (LEFT + part * (WIDTH - LEFT - RIGHT), at.format(form).to_string())
    }
}

/// Draws the lanes from one moment to another.
pub(super) fn picture(board: &Board, from: DateTime<Utc>, until: DateTime<Utc>) -> Markup {
    let axis = Axis::new(from, until);
    let height = TOP + HEIGHT * board.lanes.len() as f64 + 6.0;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) } role="img"
            aria-label="Timeline" {
            @for number in 0..=TICKS {
                @let (x, label) = axis.tick(number);
                line class="grid" x1=(round(x)) x2=(round(x)) y1=(TOP - 4.0) y2=(height) {}
                text class="tick" x=(round(x)) y="14" text-anchor=(anchor(number)) { (label) }
            }
            @for (index, lane) in board.lanes.iter().enumerate() {
                (drawn(lane, TOP + HEIGHT * index as f64, index, &axis))
            }
        }
    }
}

fn anchor(number: i32) -> &'static str {
    match number {
        0 => "start",
        TICKS => "end",
        _ => "middle",
    }
}

fn drawn(lane: &Lane, y: f64, index: usize, axis: &Axis) -> Markup {
    html! {
        @if index.is_multiple_of(2) {
            rect class="stripe" x="0" y=(round(y)) width=(WIDTH) height=(HEIGHT) {}
        }
        text x="8" y=(round(y + 17.0)) { (short(&lane.label, 24)) title { (lane.label) } }
        @for bar in &lane.bars { (drawn_bar(bar, y, axis)) }
        @for (x, marks) in near(&lane.marks, axis) {
            circle class=(lane.class) cx=(round(x)) cy=(round(y + HEIGHT / 2.0)) r=(round(radius(marks.len()))) {
                title { (told(marks)) }
            }
        }
    }
}

fn drawn_bar(bar: &Bar, y: f64, axis: &Axis) -> Markup {
    let from = bar.from.map_or(LEFT, |from| axis.x(from));
    let until = bar.until.map_or(WIDTH - RIGHT, |until| axis.x(until));
    let width = (until - from).max(2.0);
    let since = bar.from.map_or_else(|| "before".to_owned(), readable);
    let to = bar.until.map_or_else(|| "goes on".to_owned(), readable);
    // About seven units a letter.
    let room = ((width - 10.0) / 7.0).max(0.0) as usize;
    html! {
        rect x=(round(from)) y=(round(y + 4.0)) width=(round(width)) height="18" rx="4" fill=(bar.color) {
            title { (bar.label) ": " (since) " – " (to) }
        }
        @if room >= 3 {
            text class="on" x=(round(from + 6.0)) y=(round(y + 17.0)) pointer-events="none" { (short(&bar.label, room)) }
        }
    }
}

/// Marks that would cover each other, together.
fn near<'a>(marks: &'a [Mark], axis: &Axis) -> Vec<(f64, &'a [Mark])> {
    let mut groups = Vec::new();
    let mut start = 0;
    for index in 1..=marks.len() {
        let is_apart = marks.get(index).is_none_or(|mark| axis.x(mark.at) - axis.x(marks[start].at) > NEAR);
        if is_apart {
            let group = &marks[start..index];
            let middle = f64::midpoint(axis.x(group[0].at), axis.x(group[group.len() - 1].at));
            groups.push((middle, group));
            start = index;
        }
    }
    groups
}

fn radius(count: usize) -> f64 {
    (3.5 + (count as f64).ln() * 1.4).min(11.0)
}

fn told(marks: &[Mark]) -> String {
    match marks {
        [one] => format!("{}: {}", readable(one.at), one.what),
        [first, .., last] => {
            format!("{} from {} to {}; the first: {}", marks.len(), readable(first.at), readable(last.at), first.what)
        }
        [] => String::new(),
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
