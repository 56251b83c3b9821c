//! A bridge: a topic of others is read, and what its messages tell is appended to the journals, each once.
//!
//! A message's way: the bridge's thread polls a batch (`instance`), each message becomes a record or a refusal (`crossing`), the records are
//! appended in one go, the refusals go to the dead-letter topic (`letter`), and only when all of that is durable the place after the
//! batch is committed to the bridge's consumer group. A record carries where it came from and that everything before its batch is
//! durable; by that the fold knows repeats (SEMANTICS section 9). So a bridge may die anywhere, repeat what it likes, and run twice: the group
//! gives partitions to instances and keeps the place, but nothing hangs on either.
//!
//! An append or a dead letter that fails ends the instance; another one begins from the committed place.

mod crossing;
mod instance;
mod letter;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use souk_formats::Format;
use souk_runtime::ports::{Clock, Journal};
use tokio::runtime::Handle;

use crate::adopt::Start;
use crate::bridge::instance::Instance;
use crate::limits::BRIDGE_RESTART;
use crate::{Error, options};

/// What is bridged, and how.
#[derive(Debug, Clone)]
pub struct BridgeOptions {
    /// Addresses to begin with, as `host:port`.
    pub brokers: Vec<String>,
    pub topic: String,
    pub format: Arc<Format>,
    /// Where a partition begins that this group has never read.
    pub start: Start,
    /// Topic of what cannot be appended; made with one partition if it is not there.
    pub dead_letters: String,
    /// Consumer group of all instances of this bridge.
    pub group: String,
    /// Security and network settings of librdkafka, as the journal's.
    pub properties: BTreeMap<String, String>,
}

impl BridgeOptions {
    fn check(&self) -> Result<(), Error> {
        options::check_brokers(&self.brokers)?;
        options::check_topic("topic", &self.topic)?;
        options::check_topic("dead_letters", &self.dead_letters)?;
        options::check_properties(&self.properties)
    }
}

/// What a bridge has done since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BridgeCounts {
    /// Records appended; repeats too.
    pub appended: u64,
    pub dead_letters: u64,
    /// Instances that ended before they were told to.
    pub ended: u64,
}

/// One bridge on its thread. Dropping it ends it after the batch it is at.
#[derive(Debug)]
pub struct Bridge {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its owner share.
#[derive(Debug, Default)]
struct Shared {
    stop: Mutex<bool>,
    bell: Condvar,
    appended: AtomicU64,
    dead_letters: AtomicU64,
    ended: AtomicU64,
}

impl Bridge {
    /// Starts it; to be called where a tokio runtime runs. A broker that is away is waited for.
    pub fn start(
        options: BridgeOptions,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        options.check()?;
        let shared = Arc::new(Shared::default());
        let (handle, told) = (Handle::current(), Arc::clone(&shared));
        let name = "bridge";
        let run = move || {
            while !told.is_stopped() {
                let instance = Instance::open(&options, &journal, &clock, &handle, &told);
                if let Err(error) = instance.and_then(|mut instance| instance.run()) {
                    told.ended.fetch_add(1, Ordering::Relaxed);
                    let topic = options.topic.as_str();
                    tracing::warn!(%error, topic, "a bridge ended, and begins again from its last place");
                    told.rest(BRIDGE_RESTART);
                }
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(|source| Error::Thread { name, source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn counts(&self) -> BridgeCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Shared { appended, dead_letters, ended, .. } = &*self.shared;
        BridgeCounts { appended: of(appended), dead_letters: of(dead_letters), ended: of(ended) }
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        *self.stop.lock()
    }

    /// Waits for so long, or until it is stopped.
    fn rest(&self, most: Duration) {
        let mut stop = self.stop.lock();
        if !*stop {
            self.bell.wait_for(&mut stop, most);
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        *self.shared.stop.lock() = true;
        self.shared.bell.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a bridge's thread panicked");
        }
    }
}
