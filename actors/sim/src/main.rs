//! `souk-sim`: runs seeds of the simulator, replays one, or shows that planted bugs are caught.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use souk_model::planted::Bug;
use souk_sim::batch::Batch;
use souk_sim::faults::{Fault, FaultSet};
use souk_sim::plan::Plan;
use souk_sim::planted;
use souk_sim::report::Failure;
use souk_sim::run::run;
use souk_sim::shrink::shrink;
use souk_sim::trace::Tracing;

/// A run makes and drops worlds: a third of its time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seeds between two progress lines where there is no terminal.
const PLAIN_EVERY: u64 = 1_000;

#[derive(Debug, Parser)]
#[command(
    name = "souk-sim",
    about = "Simulates shards of Souk under every fault there is, and recounts what they come to"
)]
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
    Replay(Replay),
    /// Break one rule after the other and show that an oracle objects.
    Planted {
        /// Threads.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        /// Only this rule.
        #[arg(long, value_parser = bug)]
        bug: Option<Bug>,
    },
}

/// One run, as a failure prints it.
#[derive(Debug, clap::Args)]
struct Replay {
    #[arg(long)]
    seed: u64,
    /// Print everything that happened.
    #[arg(long)]
    trace: bool,
    /// Other than the seed's number of operations.
    #[arg(long)]
    operations: Option<u32>,
    /// Other than the seed's kinds of faults, separated by commas; `none`.
    #[arg(long, value_parser = faults)]
    faults: Option<FaultSet>,
    /// With this rule broken.
    #[arg(long, value_parser = bug)]
    bug: Option<Bug>,
}

fn bug(name: &str) -> Result<Bug, String> {
    Bug::ALL
        .into_iter()
        .find(|bug| format!("{bug:?}") == name)
        .ok_or_else(|| format!("no bug is called {name}"))
}

fn faults(names: &str) -> Result<FaultSet, String> {
    let mut set = FaultSet::default();
    for name in names.split(',').filter(|name| *name != "none") {
        let fault = Fault::ALL.iter().find(|fault| format!("{fault:?}") == name);
        set.insert(*fault.ok_or_else(|| format!("no fault is called {name}"))?);
    }
    Ok(set)
}

fn main() -> ExitCode {
    let clean = match Arguments::parse().command {
        Command::Run { seeds, from, jobs } => run_seeds(Batch { from, count: seeds, jobs }),
        Command::Replay(replay) => replay_seed(&replay),
        Command::Planted { jobs, bug } => run_planted(jobs, bug),
    };
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_seeds(batch: Batch) -> bool {
    let terminal = std::io::stderr().is_terminal();
    let report = batch.run(|done, failed| {
        if let Some(Failure { plan, violation }) = failed {
            let line_start = if terminal { "\r" } else { "" };
            eprintln!("{line_start}seed {} breaks {}", plan.seed, violation.invariant);
        }
        if terminal {
            eprint!("\r{done}/{} seeds", batch.count);
        } else if done.is_multiple_of(PLAIN_EVERY) {
            eprintln!("{done}/{} seeds", batch.count);
        }
    });
    if terminal {
        eprintln!();
    }
    for failure in &report.failures {
        explain(failure);
    }
    println!("{report}");
    report.is_clean()
}

/// Says what is wrong, and how to see it with as little as possible around it.
fn explain(failure: &Failure) {
    println!("{failure}");
    println!("  replay {}", failure.plan);
    let smallest = shrink(failure.plan, failure.violation.invariant, &Arc::default());
    println!("  shrunk {smallest}");
}

fn replay_seed(replay: &Replay) -> bool {
    let plan = Plan::of(replay.seed);
    let plan = Plan {
        bug: replay.bug,
        operations: replay.operations.unwrap_or(plan.operations),
        faults: replay.faults.unwrap_or(plan.faults),
        ..plan
    };
    let tracing = if replay.trace { Tracing::Kept } else { Tracing::Hashed };
    let outcome = run(plan, tracing, &Arc::default());
    let mut out = std::io::stdout().lock();
    for line in &outcome.trace {
        // A closed pipe ends the printing, not the replay.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    println!("{plan}");
    let seed = plan.seed;
    match &outcome.violation {
        Some(violation) => println!("seed={seed} {violation}"),
        None => {
            println!("seed={seed} violations=0 faults={} trace={:016x}", outcome.faults.total(), outcome.hash)
        }
    }
    outcome.violation.is_none()
}

fn run_planted(jobs: usize, only: Option<Bug>) -> bool {
    let bugs: Vec<Bug> = Bug::ALL.into_iter().filter(|bug| only.is_none_or(|only| *bug == only)).collect();
    let mut caught = 0;
    for bug in &bugs {
        let name = format!("{bug:?}");
        match planted::hunt(*bug, jobs) {
            Some(found) => {
                caught += 1;
                let (seed, invariant) = (found.seed, found.violation.invariant);
                println!("{name:<28} seed={seed:<5} invariant={invariant:<10} seeds={seed}");
            }
            None => println!("{name:<28} not caught in {} seeds", planted::SEEDS),
        }
    }
    println!("planted={} caught={caught}", bugs.len());
    caught == bugs.len()
}
