//! A cut of a million dirty users: the longest slice, and that folding goes on between slices.

use std::time::Duration;

use souk_model::owner::fold::Fold;

use crate::clock::Watch;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 1_000_000;

pub(crate) fn run(runs: u32) -> anyhow::Result<()> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut slices = Vec::new();
    let mut total = Duration::ZERO;
    let mut bytes = 0;
    for _ in 0..runs {
        for user in 0..USERS {
            feed.fold_one(Mix::PageViews, user)?;
        }
        feed.drain_tallies();
        let begun = Watch::thread();
        feed.shard.freeze();
        slices.push(begun.elapsed());
        loop {
            let start = Watch::thread();
            let drafts = feed.shard.cut_slice();
            slices.push(start.elapsed());
            if let Some(drafts) = drafts {
                bytes = drafts.iter().map(|draft| draft.blob.len()).sum::<usize>();
                break;
            }
            let user = feed.random.below(USERS);
            feed.fold_one(Mix::PageViews, user)?;
        }
        total += begun.elapsed();
        feed.shard.cut_committed();
    }
    println!(
        "cut of {USERS} dirty users, {runs} runs, an event folded after every slice (bar: no slice over 1 ms, 2 ms at the worst)"
    );
    print_slices(&mut slices, total / runs);
    println!("  {:.0} bytes a user stored", bytes as f64 / USERS as f64);
    Ok(())
}

pub(crate) fn print_slices(slices: &mut [Duration], whole: Duration) {
    slices.sort_unstable();
    let at = |share: f64| slices[((slices.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "  {} slices: p50 {:.3} ms  p99 {:.3} ms  p99.99 {:.3} ms  worst {:.3} ms; whole {:.0} ms",
        slices.len(),
        at(0.5),
        at(0.99),
        at(0.9999),
        at(1.0),
        whole.as_secs_f64() * 1e3
    );
}
