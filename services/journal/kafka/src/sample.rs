//! A look at a topic before it is adopted: whether its first records lie where the declared hash puts them, have the broker's time, and can
//! be written beside.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, Timestamp, TopicPartitionList};
use souk_kafka::Voice;
use souk_model::journal::{Journal, ShardId};
use souk_model::keying::{Partitioner, foreign_key};
use souk_model::record;
use tokio::time::Instant;

use crate::adopt::{Adoption, MARK, Start, cut};
use crate::layout::Layout;
use crate::limits::{ASK_TIMEOUT, SAMPLE, SAMPLE_TIMEOUT};
use crate::options::Options;
use crate::{Error, settings};

/// What was seen of a topic.
#[derive(Debug, Default)]
struct Seen {
    events: usize,
    /// By how many events of them each hash is wrong, in the order of [`Partitioner::ALL`].
    misplaced: [usize; Partitioner::ALL.len()],
    /// The first that the declared hash puts elsewhere.
    first: Option<String>,
    /// The first with a time its producer gave.
    own_time: Option<String>,
    unreadable: usize,
}

/// Refuses a topic that is not as declared. One that holds our records was adopted before and is not judged again; of one that is begun
/// at its end nothing is folded that could be looked at.
pub(crate) async fn check(options: &Options, adopted: &Adoption, layout: Arc<Layout>) -> Result<(), Error> {
    let topic = options.topics.users.clone();
    let (reading, how) = (options.clone(), adopted.clone());
    let sampled = tokio::task::spawn_blocking(move || sample(&reading, &how, &layout)).await;
    let seen = sampled.map_err(|error| Error::broker("look into the topic", error))??;
    let Some(seen) = seen else { return Ok(()) };
    let refused = |why: String| Err(Error::Unadoptable { topic: topic.clone(), why });
    if let Some(place) = seen.own_time {
        return refused(format!(
            "{place} has its producer's time; begin after it (`latest`, or a time since the topic's times are the broker's)"
        ));
    }
    let Some(first) = seen.first else {
        tracing::info!(topic, events = seen.events, unreadable = seen.unreadable, "the topic is as declared");
        return Ok(());
    };
    let fits = Partitioner::ALL.iter().zip(seen.misplaced).find(|(_, misplaced)| *misplaced == 0);
    let way_out = match fits {
        Some((other, _)) => format!("by {other} all {} looked at lie right: declare that", seen.events),
        None => "no known hash of the user puts all of them right: their producers key by something else, so bridge it instead".to_owned(),
    };
    refused(format!("{first}; {way_out}"))
}

/// Looks at the first records of every partition; none where it was adopted before, or begins at its end.
fn sample(options: &Options, adopted: &Adoption, layout: &Layout) -> Result<Option<Seen>, Error> {
    let topic = layout.topic(Journal::Users);
    let doing = || format!("look into the topic {topic}");
    let failed = |error: rdkafka::error::KafkaError| Error::broker(doing(), error);
    let consumer = BaseConsumer::from_config_and_context(&settings::consumer(options), Voice::default())
        .map_err(|error| Error::Client { why: error.to_string() })?;
    let mut asked = TopicPartitionList::new();
    let from = match adopted.start {
        Start::Latest => return Ok(None),
        Start::Earliest => Offset::Beginning,
        Start::At(time) => Offset::Offset(time),
    };
    for partition in 0..layout.partitions.users {
        asked.add_partition_offset(topic, i32::from(partition), from).map_err(failed)?;
    }
    if from != Offset::Beginning {
        asked = consumer.offsets_for_times(asked, ASK_TIMEOUT).map_err(failed)?;
    }
    let mut left = vec![0_i64; usize::from(layout.partitions.users)];
    for partition in 0..layout.partitions.users {
        let number = i32::from(partition);
        let (low, high) = consumer.fetch_watermarks(topic, number, ASK_TIMEOUT).map_err(failed)?;
        let first = match asked.find_partition(topic, number).map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => offset.max(low),
            Some(Offset::End) => high,
            _ => low,
        };
        left[usize::from(partition)] = high - first;
    }
    consumer.assign(&asked).map_err(failed)?;
    read(&consumer, layout, adopted, left)
}

fn read(
    consumer: &BaseConsumer<Voice>,
    layout: &Layout,
    adopted: &Adoption,
    mut left: Vec<i64>,
) -> Result<Option<Seen>, Error> {
    let mut seen = Seen::default();
    let began = Instant::now();
    let mut looked_at = 0;
    while looked_at < SAMPLE && left.iter().any(|left| *left > 0) {
        if began.elapsed() > SAMPLE_TIMEOUT {
            let doing = format!("look into the topic {}", layout.topic(Journal::Users));
            return Err(Error::broker(doing, "its records do not come"));
        }
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let Ok(message) = message else { continue };
        let Ok(partition) = u16::try_from(message.partition()) else { continue };
        left[usize::from(partition)] -= 1;
        looked_at += 1;
        let is_ours =
            message.headers().is_some_and(|headers| headers.iter().any(|header| header.key == MARK));
        if is_ours {
            return Ok(None);
        }
        let place = format!("the record at {}@{}", ShardId::users(partition), message.offset());
        if !matches!(message.timestamp(), Timestamp::LogAppendTime(_)) {
            seen.own_time.get_or_insert_with(|| place.clone());
        }
        seen.look(adopted, layout.partitions.users, partition, message.payload().unwrap_or_default(), &place);
    }
    Ok(Some(seen))
}

impl Seen {
    fn look(&mut self, adopted: &Adoption, partitions: u16, partition: u16, payload: &[u8], place: &str) {
        let Ok(event) = adopted.format.decode(cut(payload)) else {
            self.unreadable += 1;
            return;
        };
        let actor = record::actor_of(&event);
        // Without any key of its own it is known by its place alone, which no hash of its producer's could know.
        if foreign_key(&actor).is_empty() {
            self.unreadable += 1;
            return;
        }
        self.events += 1;
        for (partitioner, misplaced) in Partitioner::ALL.into_iter().zip(&mut self.misplaced) {
            let home = partitioner.partition(foreign_key(&actor).as_bytes(), partitions);
            if home == partition {
                continue;
            }
            *misplaced += 1;
            if partitioner == adopted.partitioner {
                self.first.get_or_insert_with(|| {
                    format!("{place}, of {actor:?}, belongs to partition {home} by {partitioner}")
                });
            }
        }
    }
}
