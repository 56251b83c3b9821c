//! Nanoseconds per event of the whole fold: decoded record in; user, tallies and dirty mark out.

use std::time::Duration;

use crate::clock::Watch;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

/// Records are made and decoded in batches of this size, outside the timed part.
const BATCH: u64 = 256;
const EVENTS: u64 = 1_000_000;
/// Tallies leave every 250 ms of virtual time.
const EVENTS_PER_DRAIN: u64 = 2_500;

pub(crate) fn run(users: &[u64]) -> anyhow::Result<()> {
    println!(
        "fold, ns per event (goal: 150 at 100 k users, 300 at 1 M); a drain every {EVENTS_PER_DRAIN} events is apart"
    );
    println!(
        "  page views: people follow links, eight on each of 1,000 pages; random pages: from any page to any other"
    );
    let columns = ["users", "keys", "page views", "drain", "shop mix", "drain", "random pages"];
    println!("  {}", columns.map(|column| format!("{column:>12}")).join(" "));
    for &users in users {
        for keys in [Keys::Uniform, Keys::Zipf] {
            let (views, views_drain) = measure(users, keys, Mix::PageViews)?;
            let (shop, shop_drain) = measure(users, keys, Mix::Shop)?;
            let (random, _) = measure(users, keys, Mix::RandomPages)?;
            let figures =
                [views, views_drain, shop, shop_drain, random].map(|ns| format!("{ns:>12.0}")).join(" ");
            println!("  {users:>12} {:>12} {figures}", keys.name());
        }
    }
    Ok(())
}

/// Fold and drain time per event. Every user has been here once before the clock starts.
pub(crate) fn measure(users: u64, keys: Keys, mix: Mix) -> anyhow::Result<(f64, f64)> {
    let mut feed = Feed::new(settings_text("")?)?;
    for user in 0..users {
        feed.fold_one(mix, user)?;
    }
    feed.tallies();
    let (mut folding, mut draining) = (Duration::ZERO, Duration::ZERO);
    let mut since_drain = 0;
    for _ in 0..EVENTS / BATCH {
        let batch: Vec<_> = (0..BATCH)
            .map(|_| {
                let user = keys.pick(&mut feed.random, users);
                feed.decoded(mix, user)
            })
            .collect();
        let start = Watch::thread();
        feed.fold(&batch)?;
        folding += start.elapsed();
        since_drain += BATCH;
        if since_drain >= EVENTS_PER_DRAIN {
            since_drain = 0;
            let start = Watch::thread();
            feed.tallies();
            draining += start.elapsed();
        }
    }
    let events = (EVENTS / BATCH * BATCH) as f64;
    Ok((folding.as_nanos() as f64 / events, draining.as_nanos() as f64 / events))
}
