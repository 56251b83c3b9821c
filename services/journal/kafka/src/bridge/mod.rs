//! A bridge: a topic of others is read, and what its messages tell is appended to the journals, each once.
//!
//! A message's way: the bridge's thread polls a batch (`instance`), each message becomes an event or a refusal (`crossing`), events are stamped with
//! what the catalogue says (`catalogue`), the records are appended in one go, the refusals go to the dead-letter topic (`letter`), and only when
//! all of that is durable the place after the batch is committed to the bridge's consumer group. A record carries where it came from and that
//! everything before its batch is durable; by that the fold knows repeats (SEMANTICS section 9). So a bridge may die anywhere, repeat what it
//! likes, and run on as many nodes as there are: the group gives each partition to one of them and keeps the place (`place`), but nothing
//! hangs on either.
//!
//! An append or a dead letter that fails ends the instance; so does a topic that is gone or was made anew, and
//! a partition that stands still (`still`). Another one begins from the
//! committed place, after a pause that doubles for as long as nothing gets through.

mod catalogue;
mod counts;
mod crossing;
mod ear;
mod instance;
mod letter;
mod place;
mod still;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use souk_formats::Format;
use souk_runtime::ports::{Clock, Journal};
use tokio::runtime::Handle;

pub use catalogue::Catalogue;
pub use counts::BridgeCounts;

use crate::adopt::Start;
use crate::bridge::counts::Shared;
use crate::bridge::instance::Instance;
use crate::bridge::still::Still;
use crate::limits::{BRIDGE_NICE, BRIDGE_RESTART, BRIDGE_RESTART_MOST};
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
    /// Whether the fold refuses events far from now, as it does but in a journal for history: they are then set aside here already.
    pub live: bool,
    /// Name by which brokers' logs and quotas know this node.
    pub client_id: String,
    /// Security and network settings of librdkafka, as the journal's.
    pub properties: BTreeMap<String, String>,
}

/// What a bridge needs of its node: where events go, and who knows what to say of them on the way.
#[derive(Debug, Clone)]
pub struct BridgePorts {
    pub journal: Arc<dyn Journal>,
    pub catalogue: Arc<dyn Catalogue>,
    pub clock: Arc<dyn Clock>,
}

impl BridgeOptions {
    fn check(&self) -> Result<(), Error> {
        options::check_brokers(&self.brokers)?;
        options::check_topic("topic", &self.topic)?;
        options::check_topic("dead_letters", &self.dead_letters)?;
        options::check_properties(&self.properties)
    }
}

/// One bridge on its thread. Dropping it ends it after the batch it is at.
#[derive(Debug)]
pub struct Bridge {
    topic: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    /// Starts it; to be called where a tokio runtime runs. A broker that is away is waited for.
    pub fn start(options: BridgeOptions, ports: BridgePorts) -> Result<Self, Error> {
        options.check()?;
        let (topic, shared) = (options.topic.clone(), Arc::new(Shared::default()));
        let (handle, told) = (Handle::current(), Arc::clone(&shared));
        let name = "bridge";
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || go_on(&options, &ports, &handle, &told));
        let thread = thread.map_err(|source| Error::Thread { name, source })?;
        Ok(Self { topic, shared, thread: Some(thread) })
    }

    /// The topic it reads.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub fn counts(&self) -> BridgeCounts {
        self.shared.counts()
    }

    /// Tells it to end, and does not wait for that.
    pub fn stop(&self) {
        self.shared.stop();
    }
}

/// One instance after the other, until it is stopped.
fn go_on(options: &BridgeOptions, ports: &BridgePorts, handle: &Handle, shared: &Arc<Shared>) {
    let topic = options.topic.as_str();
    stand_back(topic);
    let (mut pause, mut still) = (BRIDGE_RESTART, Still::default());
    while !shared.is_stopped() {
        let instance = Instance::open(options, ports, handle, shared, &mut still);
        let ended = instance.and_then(|mut instance| instance.run());
        if shared.closed(ended.as_ref().err().map(ToString::to_string)) {
            pause = BRIDGE_RESTART;
        }
        if let Err(error) = ended {
            tracing::warn!(%error, topic, ?pause, "a bridge ended, and begins again from its last place");
            shared.rest(pause);
            pause = (pause * 2).min(BRIDGE_RESTART_MOST);
        }
    }
    tracing::info!(topic, "a bridge ended, as it was told");
}

/// Lets shards go first where there is not processor enough for both: what a bridge reads is still there later. The threads its clients start
/// take this over from the thread that opens them.
fn stand_back(topic: &str) {
    if let Err(error) = setpriority_process(Some(gettid()), BRIDGE_NICE) {
        tracing::warn!(%error, topic, "a bridge takes the processor from shards: its priority cannot be lowered");
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.shared.stop();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(topic = self.topic, "a bridge's thread panicked");
        }
    }
}
