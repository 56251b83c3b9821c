//! A topic of others: made, filled, and read from its beginning to where it ends now, as anybody does it. The one place that speaks to
//! Kafka.

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::limits;

/// Where a topic is.
#[derive(Debug, Clone)]
pub struct TopicAt {
    /// Brokers, host:port, separated by commas.
    pub brokers: String,
    pub topic: String,
}

impl TopicAt {
    /// Makes it, with one copy; it takes messages up to this size.
    pub async fn make(&self, partitions: usize, most_bytes: usize) -> Result<()> {
        let admin: AdminClient<_> = self.config().create().context("connecting to Kafka")?;
        let bytes = most_bytes.to_string();
        let partitions = i32::try_from(partitions)?;
        let topic = NewTopic::new(&self.topic, partitions, TopicReplication::Fixed(1))
            .set("max.message.bytes", &bytes);
        let made = admin.create_topics(&[topic], &AdminOptions::new()).await?;
        for outcome in made {
            outcome.map_err(|(topic, code)| anyhow!("making the topic {topic}: {code}"))?;
        }
        Ok(())
    }

    /// Sends messages with their keys, and waits until the broker has all of them. Blocks.
    pub fn fill(
        &self,
        messages: impl IntoIterator<Item = (String, Vec<u8>)>,
        most_bytes: usize,
    ) -> Result<()> {
        let mut config = self.config();
        config.set("message.max.bytes", most_bytes.to_string()).set("linger.ms", "2");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
        for (key, message) in messages {
            let mut record = BaseRecord::to(&self.topic).key(&key).payload(&message);
            while let Err((error, back)) = producer.send(record) {
                ensure!(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), "{error}");
                // The broker takes them as fast as it does: whether all of them by then is told at the end.
                producer.flush(limits::POLL).ok();
                record = back;
            }
        }
        producer.flush(limits::PATIENCE).context("the broker does not take all messages")
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// How many messages it holds. Blocks.
    pub fn count(&self) -> Result<u64> {
        Ok(self.extent(&self.consumer()?)?.1)
    }

    /// Hands over every message, its key and its payload. Blocks.
    pub fn read(&self, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<u64> {
        let consumer = self.consumer()?;
        let (beginnings, all) = self.extent(&consumer)?;
        consumer.assign(&beginnings)?;
        let (mut left, mut heard) = (all, Instant::now());
        while left > 0 {
            // Events of the client's own end a poll too.
            let Some(message) = consumer.poll(limits::TRY) else {
                ensure!(
                    heard.elapsed() < limits::PATIENCE,
                    "the broker does not give the last {left} messages"
                );
                continue;
            };
            let message = message?;
            heard = Instant::now();
            each(message.key().unwrap_or_default(), message.payload().unwrap_or_default())?;
            left -= 1;
        }
        Ok(all)
    }

    fn consumer(&self) -> Result<BaseConsumer> {
        let mut config = self.config();
        // It wants a group to be assigned anything; nothing is ever committed to it.
        config.set("group.id", "souk-load");
        config.create().with_context(|| format!("connecting to Kafka at {}", self.brokers))
    }

    /// Where its partitions begin, and how many messages they hold together.
    fn extent(&self, consumer: &BaseConsumer) -> Result<(TopicPartitionList, u64)> {
        let metadata = consumer.fetch_metadata(Some(&self.topic), limits::TRY)?;
        let found = metadata.topics().first().with_context(|| format!("{} is not there", self.topic))?;
        let (mut beginnings, mut messages) = (TopicPartitionList::new(), 0);
        for partition in found.partitions() {
            beginnings.add_partition_offset(&self.topic, partition.id(), Offset::Beginning)?;
            let (start, end) = consumer.fetch_watermarks(&self.topic, partition.id(), limits::TRY)?;
            messages += u64::try_from(end - start)?;
        }
        Ok((beginnings, messages))
    }
}
