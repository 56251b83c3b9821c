//! The membership topic: made if it is not there, checked if it is. Nothing that is there is changed.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use souk_kafka::Voice;
use tokio::time::Instant;

use super::options::PlacementOptions;
use crate::Error;
use crate::kafka::millis;
use crate::limits::{KNOCK, LOOK_EVERY, MEMBERS_RETENTION, PATIENCE, PREPARE_TIMEOUT, TOPIC_PATIENCE};

const DOING: &str = "make the membership topic";

/// Makes the topic, and refuses one that has not a partition for each shard.
pub async fn prepare(options: &PlacementOptions, replicas: u16) -> Result<(), Error> {
    options.check()?;
    let config = options.brokers.config();
    let admin: AdminClient<Voice> = AdminClient::from_config_and_context(&config, Voice::default())
        .map_err(|error| Error::Client { why: error.to_string() })?;
    let retention = millis(MEMBERS_RETENTION);
    let replicas = TopicReplication::Fixed(i32::from(replicas));
    let topic = NewTopic::new(&options.members_topic, options.count() as i32, replicas)
        .set("cleanup.policy", "delete")
        .set("retention.ms", &retention);
    let timeouts =
        AdminOptions::new().request_timeout(Some(PREPARE_TIMEOUT)).operation_timeout(Some(PREPARE_TIMEOUT));
    let made = admin.create_topics([&topic], &timeouts).await;
    for made in made.map_err(|error| Error::broker(DOING, error))? {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, error)) => return Err(Error::broker(DOING, error)),
        }
    }
    let options = options.clone();
    let checking = tokio::task::spawn_blocking(move || {
        let asking: BaseConsumer<Voice> = BaseConsumer::from_config_and_context(&config, Voice::default())
            .map_err(|error| Error::Client { why: error.to_string() })?;
        check_topic(&options, &asking)
    });
    checking.await.unwrap_or_else(|error| Err(Error::broker(DOING, error)))
}

/// Holds the topic to one partition per shard. Waits for a broker that is just starting, and for one that has not heard of the topic yet.
pub(super) fn check_topic<C: ConsumerContext>(
    options: &PlacementOptions,
    asking: &BaseConsumer<C>,
) -> Result<(), Error> {
    let (topic, began) = (&options.members_topic, Instant::now());
    loop {
        let problem = match asking.fetch_metadata(Some(topic), KNOCK) {
            Err(error) => {
                let (brokers, why) = (options.brokers.list(), error.to_string());
                Error::NoBroker { brokers, waited: PATIENCE, why }
            }
            Ok(metadata) => match metadata.topics().first() {
                Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
                    let (has, needs) = (found.partitions().len(), options.count());
                    let differs = || Error::Partitions { topic: topic.clone(), has, needs };
                    return (has == needs).then_some(()).ok_or_else(differs);
                }
                _ => Error::NoTopic { topic: topic.clone() },
            },
        };
        let patience = if matches!(problem, Error::NoTopic { .. }) { TOPIC_PATIENCE } else { PATIENCE };
        if began.elapsed() >= patience {
            return Err(problem);
        }
        // This runs on a thread that may block, and nobody unparks it.
        std::thread::park_timeout(LOOK_EVERY);
    }
}
