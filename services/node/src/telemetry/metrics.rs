//! The metrics page: everything is read when it is asked for, nothing is kept for it. Names are those the designs promised where they
//! promised one (`events_ingested_total`, `watermark_lag_seconds`, `shard_mailbox_depth`, …).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use souk_api::server::{CallsTook, Counters, Figures, Methods};
use souk_journal_kafka::BridgeCounts;
use souk_model::metric::Window;
use souk_model::record::KIND_NAMES;
use souk_model::series::{Figure, Query, Span};
use souk_model::time::Millis;
use souk_runtime::Runtime;
use souk_runtime::observe::{NodeCounters, ShardState, ShardStatus, Spread};
use souk_runtime::ports::Clock;
use souk_runtime::read::ReadOptions;
use tokio::time::Instant;

use super::bridges;
use super::process::{self, Usage};
use super::published::Published;
use super::series::{Labels, Page};
use crate::wiring::Bridges;

/// How long the page waits for the shop's own figures; without them it is shorter.
const FIGURES_WAIT: Duration = Duration::from_millis(200);

/// What the page is made from.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) api: Arc<Counters>,
    pub(crate) methods: Arc<Methods>,
    pub(crate) bridges: Arc<Bridges>,
}

/// Everything as it stood at one moment.
#[derive(Debug)]
struct Scrape {
    now: Millis,
    shards: Vec<ShardStatus>,
    counters: NodeCounters,
    api: Figures,
    calls: Vec<CallsTook>,
    visible: Spread,
    usage: Option<Usage>,
    active_users: Option<i64>,
    carts_abandoned: Option<i64>,
    published: Published,
    bridges: Vec<(String, BridgeCounts)>,
}

impl Observed {
    /// The page, in OpenMetrics' text form.
    pub(crate) async fn page(&self) -> Result<String, fmt::Error> {
        let scrape = Scrape {
            now: self.clock.now(),
            shards: self.runtime.statuses(),
            counters: self.runtime.counters(),
            api: self.api.figures(),
            calls: self.methods.took(),
            visible: self.runtime.ingest_to_visible(),
            usage: process::usage(),
            active_users: self.figure("active_users", "users", None).await,
            carts_abandoned: self.figure("abandoned_carts", "carts", Some(Window::Total)).await,
            published: Published {
                figures: self.runtime.published(),
                tables: self.runtime.views().tables.is_some(),
                cache: self.runtime.views().cache.as_ref().map(|cache| cache.figures()),
                kept: self.runtime.views().history.as_ref().map(|_| self.runtime.kept()),
            },
            bridges: self.bridges.counts(),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(scrape));
        let mut page = String::new();
        encode(&mut page, &registry)?;
        Ok(page)
    }

    /// The newest value of a measure over everything.
    async fn figure(&self, metric: &str, measure: &str, window: Option<Window>) -> Option<i64> {
        let settings = self.runtime.settings();
        let declared = settings.metric(metric)?;
        let key_set = declared.key_sets.iter().position(Vec::is_empty)?;
        let place = declared.measures.iter().position(|known| known.name == measure)?;
        let query = Query {
            shop: "main".to_owned(),
            metric: metric.to_owned(),
            key_set: u16::try_from(key_set).ok()?,
            window,
            key: None,
            given: Vec::new(),
            span: Span::Newest,
            closed_only: false,
            top: None,
        };
        let options = ReadOptions { deadline: Some(Instant::now() + FIGURES_WAIT), ..ReadOptions::default() };
        let answer = self.runtime.query(&query, &options).await.ok()?;
        let Some(row) = answer.rows.last() else { return Some(0) };
        match &row.values.get(place)?.figure {
            Figure::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.events(&mut page)?;
        self.shards(&mut page)?;
        self.api(&mut page)?;
        self.published.encode(&mut page)?;
        bridges::encode(&self.bridges, &mut page)?;
        self.process(&mut page)
    }
}

impl Scrape {
    /// One series per shard.
    fn by_shard<T>(&self, value: impl Fn(&ShardStatus) -> Option<T>) -> Vec<(Labels, T)> {
        let series = |status| Some((vec![("shard", status_name(status))], value(status)?));
        self.shards.iter().filter_map(series).collect()
    }

    fn events(&self, page: &mut Page<'_>) -> fmt::Result {
        let NodeCounters {
            events_received,
            events_ingested,
            events_rejected_at_intake,
            batches_shed,
            records_folded,
            cuts_committed,
            shard_restarts,
            tally_batches,
            watchers,
            watch_frames,
            watch_evaluations,
            watch_lagged,
            peer_messages_dropped,
        } = self.counters;
        let sum = |count: fn(&ShardStatus) -> u64| self.shards.iter().map(count).sum::<u64>();
        for (name, help, value) in [
            ("events_received", "Events that came in", events_received),
            ("events_rejected_at_intake", "Events refused before the journal", events_rejected_at_intake),
            ("batches_shed", "Batches refused for want of credit", batches_shed),
            ("records_folded", "Records folded", records_folded),
            ("late_events", "Events too late for every metric", sum(|status| status.counts.late)),
            ("duplicate_events", "Events counted before", sum(|status| status.counts.duplicate)),
            ("dlq_events", "Events the fold set aside", sum(|status| status.counts.rejected)),
            ("cuts_committed", "Cuts that count", cuts_committed),
            ("shard_restarts", "Shard actors started again", shard_restarts),
            ("tally_batches", "Batches of tallies sent to products shards", tally_batches),
            ("subscription_frames", "Frames sent to watchers", watch_frames),
            ("subscription_lagged", "Times a watcher was told that changes were merged", watch_lagged),
            ("subscription_evaluations", "Times a watched row was made", watch_evaluations),
            ("peer_messages_dropped", "Messages between nodes given up", peer_messages_dropped),
        ] {
            page.counter(name, help, value)?;
        }
        let kinds = KIND_NAMES.into_iter().zip(events_ingested);
        let kinds: Vec<_> = kinds.map(|(kind, count)| (vec![("type", kind.to_owned())], count)).collect();
        page.counters("events_ingested", "Events taken into the journal", &kinds)?;
        let help = "From intake to where readers of its user or product see an event";
        page.histogram("ingest_to_visible", help, &self.visible)?;
        page.gauge("subscribers", "Watches open", watchers as f64)?;
        if let Some(users) = self.active_users {
            page.gauge("active_users", "Users active in the newest window", users as f64)?;
        }
        if let Some(carts) = self.carts_abandoned.and_then(|carts| u64::try_from(carts).ok()) {
            page.counter("carts_abandoned", "Carts abandoned so far", carts)?;
        }
        Ok(())
    }

    fn shards(&self, page: &mut Page<'_>) -> fmt::Result {
        let seconds = |millis: Millis| millis as f64 / 1_000.0;
        let serving = |status: &ShardStatus| f64::from(u8::from(status.state == ShardState::Serving));
        type Gauge<'a> = (&'a str, &'a str, &'a dyn Fn(&ShardStatus) -> Option<f64>);
        let gauges: [Gauge<'_>; 8] = [
            ("shard_serving", "1 when the shard serves", &|status| Some(serving(status))),
            ("shard_position", "Offset of the last record folded", &|status| Some(status.position as f64)),
            ("shard_lag_records", "Records of the journal not yet folded", &|status| {
                Some(status.end.saturating_sub(status.position) as f64)
            }),
            ("shard_epoch", "Epoch of the owner", &|status| Some(status.epoch as f64)),
            ("shard_actors", "Actors in loaded buckets", &|status| Some(status.actors as f64)),
            ("shard_mailbox_depth", "Messages waiting for the shard actor", &|status| {
                Some(status.mailbox as f64)
            }),
            ("shard_cut_age_seconds", "Age of the committed cut", &|status| status.cut_age.map(seconds)),
            ("watermark_lag_seconds", "How far the watermark is behind the clock", &|status| {
                status.watermark.map(|watermark| seconds(self.now - watermark))
            }),
        ];
        gauges.into_iter().try_for_each(|(name, help, value)| page.gauges(name, help, &self.by_shard(value)))
    }

    fn api(&self, page: &mut Page<'_>) -> fmt::Result {
        let Figures {
            connections,
            connections_open,
            connections_refused,
            calls,
            streams,
            streams_open,
            shed,
            panics,
        } = self.api;
        for (name, help, value) in [
            ("rpc_server_connections", "Connections taken", connections),
            (
                "rpc_server_connections_refused",
                "Connections closed for a cap or for silence",
                connections_refused,
            ),
            ("rpc_server_calls", "Unary calls let in", calls),
            ("rpc_server_streams", "Streams let in", streams),
            ("rpc_server_shed", "Calls and streams refused for want of room", shed),
            ("rpc_server_panics", "Calls that panicked", panics),
        ] {
            page.counter(name, help, value)?;
        }
        page.gauge("rpc_server_connections_open", "Connections open", connections_open as f64)?;
        page.gauge("rpc_server_streams_open", "Streams open", streams_open as f64)?;
        let took: Vec<_> = self.calls.iter().map(|calls| (rpc(calls), calls.took.clone())).collect();
        page.histograms("rpc_server_call_duration", "How long calls took, and streams were open", &took)
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        page.gauges("souk_build_info", "1, with the version as a label", &[(version, 1.0)])?;
        let Some(usage) = self.usage else { return Ok(()) };
        page.counter("process_cpu_seconds", "CPU time used", usage.cpu.as_secs_f64())?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use", usage.resident_bytes),
            ("process_open_fds", "Files and sockets open", usage.open_files),
            ("process_threads", "Threads", usage.threads),
        ] {
            page.gauge(name, help, value as f64)?;
        }
        Ok(())
    }
}

/// The attributes of a call, as the telemetry conventions name them.
fn rpc(calls: &CallsTook) -> Labels {
    vec![
        ("rpc_system_name", "grpc".to_owned()),
        ("rpc_method", calls.method.clone()),
        ("rpc_response_status_code", calls.code.to_owned()),
    ]
}

fn status_name(status: &ShardStatus) -> String {
    status.shard.to_string()
}
