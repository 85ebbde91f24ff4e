//! `projections rebuild` and `compare`: with a bar for each step on a terminal, lines of JSON elsewhere.

use std::process::ExitCode;

use chatledger_projections::{Comparison, Progress, RebuildError, RebuildOptions, Report, Step, Then};

use crate::{
    bootstrap::Tools,
    cli::{Failure, progress::Bar},
};

fn words(step: Step) -> (&'static str, &'static str) {
    match step {
        Step::Fold => ("fold", "events"),
        Step::Index => ("index", "indexes"),
        Step::CatchUp => ("catch up", "events"),
        Step::Compare => ("compare", "tables"),
        Step::Swap => ("change places", "attempts"),
    }
}

/// A bar for each step, one after the other.
#[derive(Default)]
struct Bars(Option<(Step, Bar)>);

impl Bars {
    fn set(&mut self, progress: Progress) {
        if self.0.as_ref().is_none_or(|(step, _)| *step != progress.step) {
            self.finish();
            let (what, unit) = words(progress.step);
            self.0 = Some((progress.step, Bar::counting(what, unit)));
        }
        if let Some((_, bar)) = &self.0 {
            bar.set(progress.done, progress.total);
        }
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.0.take() {
            bar.finish();
        }
    }
}

/// Builds, compares, and what is to follow.
pub async fn run(tools: &Tools, names: &[String], options: RebuildOptions) -> Result<ExitCode, Failure> {
    let mut bars = Bars::default();
    let result = tools.rebuild(names, options, |progress| bars.set(progress)).await;
    bars.finish();
    match result {
        Ok(report) => {
            tell(&report, if names.is_empty() { "all read models".to_owned() } else { names.join(", ") });
            let equal = report.comparison.as_ref().is_none_or(Comparison::is_equal);
            Ok(if !equal && options.then == Then::Discard { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(RebuildError::Different(comparison)) => {
            tell_comparison(&comparison);
            println!("not swapped; what was built is kept: give the command again without --if-equal to take it, or");
            println!("chatledger projections discard");
            Ok(ExitCode::FAILURE)
        }
        Err(error @ RebuildError::Poison { .. }) => {
            Err(format!("{error}\nthe rows that answer are as they were; mend the fold, then give the command again")
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(report: &Report, what: String) {
    if report.resumed {
        println!("went on with what an earlier rebuild had built");
    }
    for (step, took) in &report.took {
        let seconds = took.as_secs_f64();
        match step {
            Step::Fold if report.events > 0 => {
                let rate = report.events as f64 / seconds.max(0.001);
                println!("{:<14} {seconds:>8.1} s  {} events, {rate:.0}/s", words(*step).0, report.events);
            }
            _ => println!("{:<14} {seconds:>8.1} s", words(*step).0),
        }
    }
    if let Some(comparison) = &report.comparison {
        tell_comparison(comparison);
    }
    if report.swapped {
        println!("{what}: the new rows answer; the old ones are kept in read_models_before for a while");
    } else {
        println!("{what}: compared, and dropped again");
    }
}

fn tell_comparison(Comparison { differences, left_out, .. }: &Comparison) {
    if !differences.is_empty() {
        println!("these differ (- only among the rows that answered, + only among the new ones):");
    } else if left_out.is_empty() {
        println!("the new rows are the same as those that answered");
    }
    for difference in differences {
        println!(
            "  {} of tenant {}: {} rows, {} rows anew",
            difference.table, difference.tenant, difference.live, difference.rebuilt
        );
        difference.examples.iter().for_each(|example| println!("    {example}"));
    }
    if !left_out.is_empty() {
        println!("{} tenants were not compared, for the rows that answered are behind the new ones:", left_out.len());
        left_out.iter().for_each(|of| println!("  tenant {}: {} events behind", of.tenant, of.behind));
        println!("start the server, wait until chatledger projections lag finds nobody behind, then compare again");
    }
}
