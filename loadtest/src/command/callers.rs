//! Everybody who calls a cluster while things happen to it: a crowd that sends, a pulse per shard, readers, watchers; and the comparing
//! of everything once nobody sends any more.

use std::sync::PoisonError;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use super::{Common, population};
use crate::fire::crowd::Crowd;
use crate::fire::pulse::Pulses;
use crate::fire::reader::Readers;
use crate::fire::rest;
use crate::fire::samples::{Window, latencies};
use crate::fire::watchers::Watchers;
use crate::limits;
use crate::measure::clock;
use crate::measure::histogram::{Latencies, in_ms};
use crate::measure::report::{Bar, Report};
use crate::oracle::Oracle;
use crate::souk::client;
use crate::souk::cluster::{Cluster, SHARDS};
use crate::souk::shards::Shards;
use crate::traffic::{Meant, Scenario, Sent, Shop};

#[derive(Debug)]
pub(super) struct Callers {
    pub(super) crowd: Crowd,
    pub(super) pulses: Pulses,
    pub(super) readers: Readers,
    pub(super) watchers: Watchers,
}

impl Callers {
    /// Starts so many nodes, fills them with users until all of those are in a cut, and begins to call: so many events a second of this seed.
    pub(super) async fn start(
        common: &Common,
        cluster: &mut Cluster,
        nodes: usize,
        users: u64,
        (rate, seed): (f64, u64),
    ) -> Result<Self> {
        (0..nodes).try_for_each(|number| cluster.start(number))?;
        cluster.ready().await?;
        cluster.served().await?;
        let addresses = cluster.addresses();
        let addresses = &addresses[..nodes];
        let mut oracle = Oracle::default();
        let at = clock::now();
        population::touch_at(&addresses[0], users, 0, at).await.context("filling the nodes with users")?;
        for n in 0..users {
            oracle.take(&Sent { event: population::event(n, 0, at), meant: Meant::Counted });
        }
        cut_since(cluster, Instant::now(), "every users shard has a cut with the users").await?;

        let pulses = Pulses::start(addresses, SHARDS).await?;
        let mut scenario = Scenario::load(common.scenario.as_deref())?;
        scenario.users = usize::try_from(users)?;
        let shop = Shop::new(scenario, seed, "f", 0);
        let crowd = Crowd::start(addresses, shop, oracle, rate)?;
        let readers = Readers::start(addresses, pulses.users.values().cloned().collect())?;
        let watchers = Watchers::start(addresses);
        Ok(Self { crowd, pulses, readers, watchers })
    }

    /// What readers were answered meanwhile.
    pub(super) fn reads_within(&self, windows: &[Window], report: &mut Report) {
        self.readers.look(|seen| {
            let reads = latencies(seen.samples.within(windows));
            let at_once = seen.samples.within(windows).filter(|sample| sample.at_once).count();
            let (stale, oldest, ageless) = seen.stale(windows);
            let share = 100.0 * at_once as f64 / reads.count().max(1) as f64;
            report.note("reads meanwhile", reads.count() as f64, "");
            report.note("of them answered at the first try", share, "%");
            report.note("reads meanwhile, p99", in_ms(reads.quantile(0.99)), "ms");
            report.note("of them marked stale", stale as f64, "");
            report.note("oldest of those", oldest.as_secs_f64(), "s");
            if ageless > 0 {
                report.violate(format!("{ageless} stale answers do not say how old they are"));
            }
        });
    }

    /// Everything that calls met so far that a caller cannot simply wait for.
    pub(super) fn failures(&self) -> u64 {
        self.crowd.look(|sending| sending.troubles.failures())
            + self.pulses.look(|beaten| beaten.troubles.failures())
            + self.readers.look(|seen| seen.troubles.failures())
    }

    /// How long events took to be judged meanwhile.
    pub(super) fn pulses_within(&self, windows: &[Window]) -> Latencies {
        self.pulses.look(|beaten| latencies(beaten.samples.values().flat_map(|all| all.within(windows))))
    }

    /// Nobody sends; what was acknowledged is all there, once. Answers how many rows of tables are wrong.
    pub(super) async fn rest(mut self, cluster: &mut Cluster, report: &mut Report) -> Result<usize> {
        let held = self.pulses.hold().await?;
        let (mut oracle, sending) = self.crowd.end().await?;
        self.pulses.acknowledged().iter().for_each(|sent| oracle.take(sent));
        oracle.settle();
        let shards = cluster.wait("every record is folded", limits::RECOVER, Shards::settled).await?;
        let channel = client::connect(&cluster.addresses()[0]).await?;
        let compared = rest::compared(&oracle, channel.clone(), limits::SETTLE).await?;
        compared.differences.iter().for_each(|difference| report.violate(difference.clone()));
        let tables = rest::stands(&oracle, &cluster.tables(), shards.watermark().unwrap_or_default()).await?;
        tables.wrong.iter().for_each(|row| report.violate(row.clone()));
        self.pulses.look(|beaten| beaten.wrong.iter().for_each(|wrong| report.violate(wrong.clone())));
        for behind in self.watchers.behind(&mut client::analytics(channel)).await? {
            report.violate(behind);
        }
        self.watchers.end(report).await;
        drop(held);
        for (_, died) in cluster.bury()? {
            report.violate(died);
        }
        let sending = sending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut troubles = sending.troubles.clone();
        self.pulses.look(|beaten| troubles.join(beaten.troubles.clone()));
        self.readers.look(|seen| troubles.join(seen.troubles.clone()));
        drop(sending);
        eprintln!("calls that were tried again: {troubles:?}");
        report.note("events that count", oracle.counted as f64, "");
        report.note("rows compared", compared.rows as f64, "");
        report.note("rows of tables compared", tables.rows as f64, "");
        report.note("tables right at rest after", tables.settled_after.as_secs_f64(), "s");
        report.measure("events lost", compared.lost as f64, "", Bar::AtMost(0.0));
        report.measure("events doubled", compared.doubled as f64, "", Bar::AtMost(0.0));
        Ok(tables.wrong.len())
    }
}

/// Waits until every users shard has a cut that was made after a moment.
pub(super) async fn cut_since(cluster: &mut Cluster, moment: Instant, what: &str) -> Result<()> {
    let cut_since = |shards: &Shards| {
        shards.users().all(|shard| {
            let age = shard.cut_age.and_then(|age| Duration::try_from(age).ok());
            age.is_some_and(|age| age < moment.elapsed())
        })
    };
    cluster.wait(what, limits::RECOVER, cut_since).await.map(drop)
}
