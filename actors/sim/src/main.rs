//! `souk-sim`: runs seeds of the simulator, replays one, or shows that planted bugs are caught.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use souk_model::planted::Bug;
use souk_sim::batch::Batch;
use souk_sim::plan::Plan;
use souk_sim::planted;
use souk_sim::report::Failure;
use souk_sim::run::run;
use souk_sim::shrink::shrink;
use souk_sim::trace::Tracing;

/// Seconds of a progress line's life: one per so many seeds where there is no terminal.
const PLAIN_EVERY: u64 = 1_000;
/// Lines of a failing seed's trace that are printed.
const TRACE_LINES: usize = 60;

#[derive(Debug, Parser)]
#[command(name = "souk-sim", about = "Simulates shards of Souk under every fault there is, and recounts what they come to")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run many seeds with all oracles.
    Run {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Run one seed again.
    Replay {
        #[arg(long)]
        seed: u64,
        /// Print everything that happened.
        #[arg(long)]
        trace: bool,
        /// With this rule broken.
        #[arg(long)]
        bug: Option<String>,
    },
    /// Break one rule after the other and show that an oracle objects.
    Planted {
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
}

fn main() -> ExitCode {
    let clean = match Arguments::parse().command {
        Command::Run { seeds, from, jobs } => run_seeds(Batch { from, count: seeds, jobs }),
        Command::Replay { seed, trace, bug } => replay(seed, trace, bug.as_deref()),
        Command::Planted { jobs } => run_planted(jobs),
    };
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_seeds(batch: Batch) -> bool {
    let terminal = std::io::stderr().is_terminal();
    let report = batch.run(|done, failed| {
        if terminal {
            eprint!("\r{done}/{} seeds, {failed} violations", batch.count);
        } else if done.is_multiple_of(PLAIN_EVERY) {
            eprintln!("{done}/{} seeds, {failed} violations", batch.count);
        }
    });
    if terminal {
        eprintln!();
    }
    for failure in &report.failures {
        println!("{failure}");
    }
    if let Some(first) = report.failures.first() {
        explain(first);
    }
    println!("{report}");
    report.is_clean()
}

/// Shrinks a failure and prints the end of its trace.
fn explain(failure: &Failure) {
    let library = Arc::default();
    let smallest = shrink(failure.plan, failure.violation.invariant, &library);
    let outcome = run(smallest, Tracing::Kept, &library);
    println!("shrunk to {smallest:?}");
    let skip = outcome.trace.len().saturating_sub(TRACE_LINES);
    for line in outcome.trace.iter().skip(skip) {
        println!("  {line}");
    }
    if let Some(violation) = outcome.violation {
        println!("  {violation}");
    }
}

fn replay(seed: u64, trace: bool, bug: Option<&str>) -> bool {
    let bug = bug.and_then(|name| Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name));
    let plan = Plan { bug, ..Plan::of(seed) };
    let tracing = if trace { Tracing::Kept } else { Tracing::Hashed };
    let outcome = run(plan, tracing, &Arc::default());
    let mut out = std::io::stdout().lock();
    for line in &outcome.trace {
        // A closed pipe ends the printing, not the replay.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    println!("{plan:?}");
    match &outcome.violation {
        Some(violation) => println!("seed={seed} {violation}"),
        None => println!("seed={seed} violations=0 faults={} trace={:016x}", outcome.faults.total(), outcome.hash),
    }
    outcome.violation.is_none()
}

fn run_planted(jobs: usize) -> bool {
    let mut caught = 0;
    for bug in Bug::ALL {
        match planted::hunt(bug, jobs) {
            Some(found) => {
                caught += 1;
                println!("{:<28} seed {:>5}  {}", format!("{bug:?}"), found.seed, found.violation.invariant);
            }
            None => println!("{:<28} not caught in {} seeds", format!("{bug:?}"), planted::SEEDS),
        }
    }
    println!("planted={} caught={caught}", Bug::ALL.len());
    caught == Bug::ALL.len()
}
