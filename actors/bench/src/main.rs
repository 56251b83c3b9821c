//! `souk-bench`: what the pure core costs. Every figure in the README comes from here; `souk-bench all` prints them all.

// Measuring is reading the clock: the ban is for what is measured.
#![allow(clippy::disallowed_methods)]

mod actors;
mod answers;
mod clock;
mod cut;
mod fold;
mod instructions;
mod memory;
mod owner;
mod random;
mod timers;
mod window;
mod world;

use clap::{Parser, Subcommand};

/// Growing actors leave holes of every size, and the system's allocator searches them: a quarter of the fold.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(about = "What the pure core costs")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Everything below, one after the other.
    All,
    /// Nanoseconds per event: decoded record in; user, tallies and dirty mark out.
    Fold {
        #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
        users: Vec<u64>,
    },
    /// Nanoseconds per event of all an owner does: encoded entries in, everything but I/O done.
    Owner {
        #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
        users: Vec<u64>,
    },
    /// The same fold with one ractor actor per user.
    Actors,
    /// Bytes per idle and per hot user, as the slope of resident memory.
    Memory,
    /// Slices of a cut of a million dirty users, folding between them.
    Cut {
        #[arg(long, default_value_t = 20)]
        runs: u32,
    },
    /// Slices of a million timers due at once.
    Timers {
        #[arg(long, default_value_t = 20)]
        runs: u32,
    },
    /// A sliding window by a fine step against a coarse one.
    Window,
    /// Work for an instruction counter, up to `encode`, `decode`, `fold` or `cut`, or `none` for what all share; and up to `query`,
    /// `tally` or `join`, or `series` for what those share; and `owner`, or `entries` for what it is given.
    Instructions {
        part: instructions::Part,
        #[arg(long, default_value = "shop")]
        mix: world::Mix,
    },
}

fn main() -> anyhow::Result<()> {
    // Zeroing one huge page when it is first touched takes longer than any slice may.
    rustix::thread::disable_transparent_huge_pages(true)?;
    println!("times are CPU time of the folding thread unless said otherwise");
    match Arguments::parse().what {
        What::All => {
            fold::run(&[100_000, 1_000_000])?;
            owner::run(&[100_000, 1_000_000])?;
            actors::run()?;
            memory::run()?;
            window::run()?;
            cut::run(20)?;
            timers::run(20)
        }
        What::Fold { users } => fold::run(&users),
        What::Owner { users } => owner::run(&users),
        What::Actors => actors::run(),
        What::Memory => memory::run(),
        What::Cut { runs } => cut::run(runs),
        What::Timers { runs } => timers::run(runs),
        What::Window => window::run(),
        What::Instructions { part, mix } => instructions::run(part, mix),
    }
}
