//! Questions to the broker, on a connection of their own: behind a fetch that waits for records they would wait too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use souk_kafka::{Knock, Voice, topic_id};
use souk_model::journal::{Journal, ShardId};
use souk_model::owner::{Ends, Unavailable};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::adopt::Start;
use crate::error::Difference;
use crate::identity::Identity;
use crate::layout::Layout;
use crate::limits::{ASK_TIMEOUT, IDENTITY_FRESH, IDENTITY_TIMEOUT, KNOCK, QUESTIONS};
use crate::options::Options;
use crate::{Error, settings};

/// Answers block; `ask` asks from async code.
pub(crate) struct Desk {
    client: BaseConsumer<Voice>,
    layout: Arc<Layout>,
    users: Identity,
    products: Identity,
    adopted: Option<Adopted>,
    knock: Mutex<Knock>,
    questions: Arc<Semaphore>,
}

/// Of a users topic that is others'.
#[derive(Debug)]
struct Adopted {
    identity: u64,
    start: Start,
    /// Where partitions begin by time, which does not change: asked once.
    starts: Mutex<BTreeMap<u16, u64>>,
}

impl Desk {
    pub(crate) fn new(options: &Options, layout: Arc<Layout>) -> Result<Self, Error> {
        let client = BaseConsumer::from_config_and_context(&settings::desk(options), Voice::default())
            .map_err(|error| Error::Client { why: error.to_string() })?;
        let adopted = options.adopted.as_ref().map(|adopted| Adopted {
            identity: adopted.identity(),
            start: adopted.start,
            starts: Mutex::default(),
        });
        let identity = |journal| Identity::new(layout.topic(journal));
        let (users, products) = (identity(Journal::Users), identity(Journal::Products));
        let knock = Mutex::new(Knock::new(options.addresses(), layout.topic(Journal::Users)));
        let questions = Arc::new(Semaphore::new(QUESTIONS));
        Ok(Self { client, layout, users, products, adopted, knock, questions })
    }

    /// Waits until a broker answers.
    pub(crate) fn knock(&self, options: &Options) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            let error = match self.client.fetch_metadata(Some(self.layout.topic(Journal::Users)), KNOCK) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            // Its events are heard only when it is polled.
            drop(self.client.poll(Duration::ZERO));
            let voice = self.client.context();
            if let Some(why) = voice.hopeless() {
                return Err(Error::Refused { brokers: options.addresses(), why });
            }
            if began.elapsed() >= options.patience {
                let why = voice.last().unwrap_or_else(|| error.to_string());
                return Err(Error::NoBroker { brokers: options.addresses(), waited: began.elapsed(), why });
            }
        }
    }

    /// What is wrong with how many partitions a topic has, and how many copies of each.
    pub(crate) fn shape(
        &self,
        topic: &str,
        partitions: u16,
        replicas: u16,
    ) -> Result<Vec<Difference>, Error> {
        let doing = || format!("look at the topic {topic}");
        let metadata = self
            .client
            .fetch_metadata(Some(topic), ASK_TIMEOUT)
            .map_err(|error| Error::broker(doing(), error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.ok_or_else(|| Error::NoTopic { topic: topic.to_owned() })?;
        match found.error().map(RDKafkaErrorCode::from) {
            None => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                return Err(Error::NoTopic { topic: topic.to_owned() });
            }
            Some(error) => return Err(Error::broker(doing(), error)),
        }
        let mut differences = Vec::new();
        let has = found.partitions().len();
        if has != usize::from(partitions) {
            let (has, needs) = (has.to_string(), format!("{partitions}, for the life of the topic"));
            differences.push(Difference { what: "the number of partitions", has, needs });
        }
        let least = found.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
        if least < usize::from(replicas) {
            let (has, needs) = (least.to_string(), format!("{replicas} at least"));
            differences.push(Difference { what: "the number of replicas", has, needs });
        }
        Ok(differences)
    }

    fn identity_of(&self, journal: Journal) -> &Identity {
        match journal {
            Journal::Users => &self.users,
            Journal::Products => &self.products,
        }
    }

    /// Which topic it is, asked anew if the last answer is older than that.
    pub(crate) fn identity(&self, journal: Journal, fresh: Duration) -> Result<u64, KafkaError> {
        self.identity_of(journal).get(fresh, || {
            let topic = self.layout.topic(journal);
            // While no broker is there the client connects without a rest for a request of this kind, and with rests for a plain one.
            self.client.fetch_metadata(Some(topic), ASK_TIMEOUT)?;
            let id = topic_id(&self.client, topic, IDENTITY_TIMEOUT).map_err(KafkaError::MetadataFetch)?;
            // Read in another way it is another journal.
            Ok(id ^ self.adopted_as(journal).map_or(0, |adopted| adopted.identity))
        })
    }

    /// Whether the topic is another than the one this journal was opened on, as far as is known. Never waits.
    pub(crate) fn was_replaced(&self, journal: Journal) -> bool {
        self.identity_of(journal).was_replaced()
    }

    fn ends(&self, shard: ShardId) -> Result<Ends, KafkaError> {
        let topic = self.layout.topic(shard.journal);
        let partition = i32::from(shard.partition);
        // Which topic it is first: offsets of another one must not pass for this one's.
        let topic_id = self.identity(shard.journal, IDENTITY_FRESH)?;
        let (low, high) = self.client.fetch_watermarks(topic, partition, ASK_TIMEOUT)?;
        let count = |offset: i64| u64::try_from(offset).unwrap_or(0);
        let partitions = self.layout.partitions_of(shard.journal);
        let origin = match self.adopted_as(shard.journal) {
            None => None,
            Some(adopted) => Some(self.origin(adopted, shard, count(low), count(high))?),
        };
        Ok(Ends { topic_id, partitions, start: count(low) + 1, end: count(high), origin })
    }

    fn adopted_as(&self, journal: Journal) -> Option<&Adopted> {
        self.adopted.as_ref().filter(|_| journal == Journal::Users)
    }

    /// The port's offset after which a partition of an adopted topic begins that nobody has folded: Kafka's of its first record.
    fn origin(&self, adopted: &Adopted, shard: ShardId, low: u64, high: u64) -> Result<u64, KafkaError> {
        let time = match adopted.start {
            Start::Latest => return Ok(high),
            Start::Earliest => return Ok(low),
            Start::At(time) => time,
        };
        if let Some(known) = adopted.starts.lock().get(&shard.partition) {
            return Ok(*known.max(&low));
        }
        let mut list = TopicPartitionList::new();
        let (topic, partition) = (self.layout.topic(shard.journal), i32::from(shard.partition));
        list.add_partition_offset(topic, partition, Offset::Offset(time))?;
        let answer = self.client.offsets_for_times(list, ASK_TIMEOUT)?;
        match answer.elements().first().map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => {
                let offset = u64::try_from(offset).unwrap_or(0);
                adopted.starts.lock().insert(shard.partition, offset);
                Ok(offset)
            }
            // Nothing was appended then or later: what comes is the first.
            _ => Ok(high),
        }
    }

    /// Where a partition stands.
    pub(crate) async fn ask(self: &Arc<Self>, shard: ShardId) -> Result<Ends, Unavailable> {
        let desk = Arc::clone(self);
        let turn = timeout(ASK_TIMEOUT, Arc::clone(&self.questions).acquire_owned()).await;
        let turn = turn.map_err(|_| Unavailable)?;
        // The turn is over when the answer is there, whether or not somebody still waits for it.
        let asked = tokio::task::spawn_blocking(move || {
            let ends = desk.ends(shard);
            drop(turn);
            ends
        });
        let ends = asked.await;
        match ends {
            Ok(Ok(ends)) => Ok(ends),
            Ok(Err(error)) => {
                tracing::warn!(%error, %shard, "the broker does not say where a partition stands");
                Err(Unavailable)
            }
            Err(_) => Err(Unavailable),
        }
    }

    /// The ends of many partitions in one question.
    pub(crate) fn ends_of(&self, numbers: &[usize]) -> Result<Vec<(usize, u64)>, KafkaError> {
        let mut list = TopicPartitionList::new();
        for number in numbers {
            let shard = self.layout.shard(*number);
            list.add_partition_offset(
                self.layout.topic(shard.journal),
                i32::from(shard.partition),
                Offset::End,
            )?;
        }
        let answer = self.client.offsets_for_times(list, ASK_TIMEOUT)?;
        let end = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
            let number = self.layout.number_of(element.topic().as_bytes(), element.partition())?;
            let Offset::Offset(end) = element.offset() else { return None };
            Some((number, u64::try_from(end).ok()?))
        };
        Ok(answer.elements().iter().filter_map(end).collect())
    }

    /// To be called every few seconds. Blocks for a moment; whether a broker answered.
    pub(crate) fn is_heard(&self) -> bool {
        self.knock.lock().at(self.client.client())
    }

    /// Lets it say what it has to say.
    pub(crate) fn listen(&self) {
        souk_kafka::listen(&self.client);
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}
