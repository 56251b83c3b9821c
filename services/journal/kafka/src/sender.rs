//! Messages to a topic that is nobody's journal: what a command writes, for others or for a later adoption to read. The same idempotent
//! producer as the journal's; the partition follows from the key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use souk_kafka::{Knock, Voice};
use souk_model::keying::Partitioner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::limits::{ASK_TIMEOUT, KNOCK, OPEN_PATIENCE, QUEUE_BYTES, QUEUED_RECORD_BYTES, SEND_TIMEOUT};
use crate::{Error, options, prepare, settings};

/// Where messages go, and how.
#[derive(Debug, Clone)]
pub struct SenderOptions {
    /// Addresses to begin with, as `host:port`.
    pub brokers: Vec<String>,
    pub topic: String,
    /// By which hash of its key a message finds its partition. One without a key goes anywhere.
    pub partitioner: Partitioner,
    /// The topic is made with so many partitions if it is not there, as the journal wants topics. None: it must be there.
    pub make: Option<u16>,
    /// Security and network settings of librdkafka, as the journal's.
    pub properties: BTreeMap<String, String>,
}

impl SenderOptions {
    pub fn new(brokers: Vec<String>, topic: impl Into<String>) -> Self {
        Self {
            brokers,
            topic: topic.into(),
            partitioner: Partitioner::default(),
            make: None,
            properties: BTreeMap::new(),
        }
    }
}

/// Sends; how much is under way is bounded.
pub struct Sender {
    client: Arc<ThreadedProducer<Reports>>,
    topic: String,
    partitions: usize,
    room: Arc<Semaphore>,
    knock: Mutex<Knock>,
}

/// What became of what was sent.
#[derive(Debug, Default)]
struct Fates {
    acknowledged: AtomicU64,
    /// Why the first of those failed that did.
    failed: Mutex<Option<String>>,
}

struct Reports {
    voice: Voice,
    fates: Arc<Fates>,
}

impl Sender {
    /// Makes sure that the topic is there.
    pub async fn open(options: SenderOptions) -> Result<Self, Error> {
        options::check_brokers(&options.brokers)?;
        options::check_topic("topic", &options.topic)?;
        options::check_properties(&options.properties)?;
        let reports = Reports { voice: Voice::default(), fates: Arc::default() };
        let client = ThreadedProducer::from_config_and_context(&settings::sender(&options), reports)
            .map_err(|error| Error::Client { why: error.to_string() })?;
        let client = Arc::new(client);
        if let Some(partitions) = options.make {
            prepare::make_plain(&options, partitions).await?;
        }
        let partitions = partitions(&client, &options).await?;
        let knock = Mutex::new(Knock::new(options.brokers.join(","), &options.topic));
        let room = Arc::new(Semaphore::new(QUEUE_BYTES));
        Ok(Self { client, topic: options.topic, partitions, room, knock })
    }

    /// To be called every few seconds by whoever keeps it for long. Blocks for a moment.
    pub(crate) fn knock(&self) {
        self.knock.lock().at(self.client.client());
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Sends a message once there is room for it. An error is that of an earlier one: what was sent since may have arrived or not.
    pub async fn send(&self, key: &[u8], message: &[u8]) -> Result<(), Error> {
        self.look()?;
        let bytes = key.len() + message.len() + QUEUED_RECORD_BYTES;
        let bytes = u32::try_from(bytes.min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
        let room = room.map_err(|error| Error::broker("send", error))?;
        let record =
            BaseRecord::<[u8], [u8], Box<OwnedSemaphorePermit>>::with_opaque_to(&self.topic, Box::new(room));
        let record = record.payload(message);
        let record = if key.is_empty() { record } else { record.key(key) };
        let sent = self.client.send(record).map_err(|(error, _)| error);
        sent.map_err(|error| Error::broker(format!("send to {}", self.topic), error))
    }

    /// Waits until everything is acknowledged. How many messages were, in all.
    pub async fn finish(&self) -> Result<u64, Error> {
        let client = Arc::clone(&self.client);
        let flushed = tokio::task::spawn_blocking(move || client.flush(SEND_TIMEOUT + ASK_TIMEOUT)).await;
        let doing = || format!("send to {}", self.topic);
        flushed
            .map_err(|error| Error::broker(doing(), error))?
            .map_err(|error| Error::broker(doing(), error))?;
        self.look()?;
        Ok(self.client.context().fates.acknowledged.load(Ordering::Acquire))
    }

    fn look(&self) -> Result<(), Error> {
        match &*self.client.context().fates.failed.lock() {
            None => Ok(()),
            Some(why) => Err(Error::broker(format!("send to {}", self.topic), why)),
        }
    }
}

/// How many partitions the topic has, once a broker answers; one that was just made is not known at once.
async fn partitions(
    client: &Arc<ThreadedProducer<Reports>>,
    options: &SenderOptions,
) -> Result<usize, Error> {
    let began = Instant::now();
    loop {
        let (asked, topic) = (Arc::clone(client), options.topic.clone());
        let found = tokio::task::spawn_blocking(move || count(&asked, &topic)).await;
        let late = began.elapsed() >= OPEN_PATIENCE;
        match found.map_err(|error| Error::broker("ask for the topic", error))? {
            Ok(Some(count)) => return Ok(count),
            Ok(None) if late || options.make.is_none() => {
                return Err(Error::NoTopic { topic: options.topic.clone() });
            }
            Err(error) if late => {
                let why = client.context().voice.last().unwrap_or_else(|| error.to_string());
                let brokers = options.brokers.join(",");
                return Err(Error::NoBroker { brokers, waited: began.elapsed(), why });
            }
            _ => sleep(KNOCK).await,
        }
    }
}

fn count(client: &ThreadedProducer<Reports>, topic: &str) -> Result<Option<usize>, KafkaError> {
    let metadata = client.client().fetch_metadata(Some(topic), KNOCK.max(Duration::from_secs(1)))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    Ok(found.filter(|found| found.error().is_none()).map(|found| found.partitions().len()))
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.voice.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fates.failed.lock().get_or_insert_with(|| reason.to_owned());
        }
        self.voice.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<OwnedSemaphorePermit>;

    fn delivery(&self, result: &DeliveryResult<'_>, room: Self::DeliveryOpaque) {
        match result {
            Ok(_) => drop(self.fates.acknowledged.fetch_add(1, Ordering::AcqRel)),
            Err((error, _)) => drop(self.fates.failed.lock().get_or_insert_with(|| error.to_string())),
        }
        drop(room);
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// librdkafka's name of a hash.
pub(crate) fn partitioner(config: &mut ClientConfig, partitioner: Partitioner) {
    let name = match partitioner {
        Partitioner::Murmur2 => "murmur2_random",
        Partitioner::Crc32 => "consistent_random",
        Partitioner::Fnv1a => "fnv1a_random",
    };
    config.set("partitioner", name);
}
