//! `cut`: a snapshot of a million changed users while watchers look on. Changes seen around a cut are compared with those seen away
//! from one; a cut is where a shard's `cut_age` falls.

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
/// A change this soon before a cut was committed, or after it, was seen around it: a cut of an eighth of a million users takes a
/// fraction of this.
const AROUND: Duration = Duration::from_millis(1_500);
/// What a cut may add to p99.
const FELT: f64 = 5.0;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
    /// How long to look on: several cuts must fall into it.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let souk = common.binary()?.serve(&place.data()).await?;
    population::touch(&souk.address, options.users, 0).await?;
    let probes = Probes::new("cut", KEYS, true);
    probes.watch_all(&souk.address, WATCHERS).await?;
    let length = Duration::from_secs(options.seconds);
    let mut admin = client::admin(client::connect(&souk.address).await?);
    let probing =
        load::probe(&probes, Lane::new(client::connect(&souk.address).await?), KEYS, PROBES, length);
    let cuts = watch_cuts(&mut admin, length).await?;
    probing.await??;
    tokio::time::sleep(limits::POLL * 10).await;

    let (mut around, mut away) = (Latencies::default(), Latencies::default());
    for (seen, latency) in probes.take().samples {
        let near = |cut: &Instant| {
            seen.saturating_duration_since(*cut).max(cut.saturating_duration_since(seen)) < AROUND
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
        for shard in Shards::ask(admin).await?.0 {
            let Some(age) = shard.cut_age else { continue };
            let age = age.seconds as f64 + f64::from(age.nanos) / 1e9;
            let before = ages.insert(shard.name, age);
            // The age says when it was, closer than two looks do.
            if before.is_none_or(|before| age < before) && age < length.as_secs_f64() {
                cuts.push(Instant::now() - Duration::from_secs_f64(age));
            }
        }
    }
    Ok(cuts)
}
