//! The embedded journal and store, as the configuration has them.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use souk_journal::{ClockKind, Durability, EmbeddedJournal, OnFatal, Options, Retention};
use souk_runtime::ports::Clock;
use souk_store::EmbeddedStore;
use tokio::task::spawn_blocking;

use super::{JOURNAL, STORE};
use crate::config::{self, Config};

/// Opens the journal and the store of a data directory. Recovery reads the journal's newest segment.
pub(super) async fn open(
    config: &Config,
    data: &Path,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(EmbeddedJournal, EmbeddedStore)> {
    let options = options(config, data);
    let opened = spawn_blocking(move || EmbeddedJournal::open(options, clock)).await?;
    let journal = opened.context("the journal")?;
    let store = data.join(STORE);
    Ok((journal, spawn_blocking(move || EmbeddedStore::open(store)).await??))
}

fn options(config: &Config, data: &Path) -> Options {
    let journal = &config.journal;
    Options {
        durability: match journal.durability {
            config::Durability::Fsync => Durability::Fsync,
            config::Durability::Interval => Durability::Interval(journal.interval.0),
        },
        clock_kind: match config.node.clock {
            config::Clock::Live => ClockKind::Live,
            config::Clock::History => ClockKind::History,
        },
        retention: Retention { keep: journal.keep.0, most_bytes: journal.keep_bytes.0 },
        ..Options::new(data.join(JOURNAL), config.partitions(), rand::random(), on_fatal())
    }
}

/// A failed write or sync ends the process: nobody knows what the disk holds, and the next start finds out.
fn on_fatal() -> OnFatal {
    OnFatal::new(|error| {
        tracing::error!(%error, "the journal failed; the process ends");
        eprintln!("error: the journal failed: {error}");
        std::process::exit(1)
    })
}
