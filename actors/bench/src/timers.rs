//! A million timers due at once: the longest slice of firing them.

use std::time::Duration;

use souk_model::output::Outputs;
use souk_model::owner::fold::Progress;
use souk_model::shard::{At, Decoded};
use souk_proto::journal::v1 as journal;

use crate::clock::Watch;
use crate::cut::Slices;
use crate::world::{Feed, Mix, entry, settings_text};

const USERS: u64 = 1_000_000;
/// Long after every session and cart has run out.
const LATER: i64 = 3_600_000;

pub(crate) fn run(runs: u32) -> anyhow::Result<()> {
    let mut slices = Slices::default();
    let mut total = Duration::ZERO;
    let tick = journal::Record { body: Some(journal::record::Body::Tick(journal::Tick {})) };
    for _ in 0..runs {
        let mut feed = Feed::new(settings_text("")?)?;
        for user in 0..USERS {
            feed.fold_one(Mix::Adds, user)?;
        }
        feed.tallies();
        let entry = entry(&tick, USERS + 1, feed.now() + LATER);
        let (at, decoded) = (At::from(&entry), Decoded::of(&entry));
        let mut out = Outputs::default();
        let begun = Watch::thread();
        loop {
            let start = Watch::thread();
            let progress = feed.shard.step_decoded(at, &entry.bytes, &decoded, &mut out)?;
            slices.push(if progress == Progress::Done { "last" } else { "timers" }, start.elapsed());
            out.items.clear();
            if progress == Progress::Done {
                break;
            }
        }
        total += begun.elapsed();
    }
    println!(
        "timers: {USERS} sessions and carts due at once, {runs} runs (bar: no slice over 1 ms, 2 ms at the worst)"
    );
    let steady = slices.steady_worst(runs as usize);
    slices.print(total / runs);
    println!(
        "  every run does the same: the worst slice at the best of its {runs} runs {:.3} ms",
        steady.as_secs_f64() * 1e3
    );
    Ok(())
}
