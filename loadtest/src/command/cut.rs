//! `cut`: a snapshot of a million changed users while watchers look on. Changes seen around a cut are compared with those seen away
//! from one; a cut was committed where a users shard's `cut_age` falls.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::load;
use super::{Common, Place, population};
use crate::limits;
use crate::measure::histogram::{Latencies, in_ms};
use crate::measure::report::{Bar, Report};
use crate::souk::client::{self, Admin};
use crate::souk::lane::Lane;
use crate::souk::shards::Shards;
use crate::watcher::probe::Probes;

const KEYS: usize = 10;
const WATCHERS: usize = 100;
const PROBES: f64 = 100.0;
/// A change this long before a cut was committed, or after it, was seen around it: a shard encodes an eighth of a million users for two
/// or three seconds, and what it frees comes at the end.
const BEFORE: Duration = Duration::from_millis(3_000);
const AFTER: Duration = Duration::from_millis(500);
/// What a cut may add to p99.
const FELT: f64 = 5.0;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
    /// How long to look on: a cut of every shard must fall into it.
    #[arg(long, default_value_t = 75)]
    seconds: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let souk = common.binary()?.serve(&place.data()).await?;
    let mut admin = client::admin(client::connect(&souk.address).await?);
    population::touch(&souk.address, options.users, 0).await?;
    // The first cut of a shard comes seconds after its first record, the others by the clock: whoever is touched now is in the second.
    Shards::wait(&mut admin, "every users shard has its first cut", Shards::have_cuts).await?;
    let probes = Probes::new("cut", KEYS, true);
    probes.watch_all(&souk.address, WATCHERS).await?;
    population::touch(&souk.address, options.users, 1).await?;
    let length = Duration::from_secs(options.seconds);
    let probing =
        load::probe(&probes, Lane::new(client::connect(&souk.address).await?), KEYS, PROBES, length);
    let cuts = watch_cuts(&mut admin, length).await?;
    probing.await??;
    tokio::time::sleep(limits::POLL * 10).await;

    let (mut around, mut away) = (Latencies::default(), Latencies::default());
    for (seen, latency) in probes.take().samples {
        let near = |cut: &Instant| {
            cut.saturating_duration_since(seen) < BEFORE && seen.saturating_duration_since(*cut) < AFTER
        };
        if cuts.iter().any(near) { around.record(latency) } else { away.record(latency) }
    }
    eprintln!("around a cut    {}", around.summary());
    eprintln!("away from one   {}", away.summary());
    let mut report = Report::default();
    let p99 = |latencies: &Latencies| in_ms(latencies.quantile(0.99));
    report.note("users changed since the cut before", options.users as f64, "");
    report.measure("cuts seen", cuts.len() as f64, "", Bar::AtLeast(1.0));
    report.note("change -> frame p99 away from cuts", p99(&away), "ms");
    report.note("change -> frame p99 around cuts", p99(&around), "ms");
    report.measure("what a cut adds to p99", p99(&around) - p99(&away), "ms", Bar::AtMost(FELT));
    souk.stop().await?;
    Ok(report)
}

/// When shards' committed cuts became younger.
async fn watch_cuts(admin: &mut Admin, length: Duration) -> Result<Vec<Instant>> {
    let mut cuts = Vec::new();
    let mut ages: BTreeMap<String, f64> = BTreeMap::new();
    let mut looks = interval(limits::POLL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let deadline = Instant::now() + length;
    while Instant::now() < deadline {
        looks.tick().await;
        for shard in Shards::ask(admin).await?.users() {
            let Some(age) = &shard.cut_age else { continue };
            let age = age.seconds as f64 + f64::from(age.nanos) / 1e9;
            let before = ages.insert(shard.name.clone(), age);
            // The age is that of the last record it holds, which may have been long before.
            if before.is_some_and(|before| age < before) {
                cuts.push(Instant::now());
            }
        }
    }
    Ok(cuts)
}
