//! The producer: hands records to librdkafka and fills in what became of them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use souk_kafka::{Knock, Voice, never_left};
use souk_runtime::ports::{Appended, Line, NewRecord, Refused};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::Receiver;
use tokio::time::Instant;

use crate::adopt::marked;
use crate::layout::Layout;
use crate::limits::{RECORD_BYTES, RENEW_EVERY};
use crate::options::Options;
use crate::partition::Partitions;
use crate::pending::{Pending, Place};
use crate::{Error, settings};

type Client = ThreadedProducer<Reports>;

/// Appends in the order it is called.
pub(crate) struct Producer {
    options: Options,
    /// How long a record may be under way. None: until it arrives. A record that was given up leaves a gap, which what stands behind it would
    /// pass as soon as the broker is back.
    timeout: Option<Duration>,
    layout: Arc<Layout>,
    partitions: Arc<Partitions>,
    current: Mutex<Current>,
    knock: Mutex<Knock>,
}

struct Current {
    client: Arc<Client>,
    since: Instant,
}

/// What librdkafka's thread tells us.
struct Reports {
    voice: Voice,
    layout: Arc<Layout>,
    partitions: Arc<Partitions>,
}

impl Producer {
    pub(crate) fn new(
        options: &Options,
        timeout: Option<Duration>,
        layout: Arc<Layout>,
        partitions: Arc<Partitions>,
    ) -> Result<Self, Error> {
        let client = connect(options, timeout, &layout, &partitions)?;
        let current = Mutex::new(Current { client: Arc::new(client), since: Instant::now() });
        let knock = Mutex::new(Knock::new(options.addresses(), &options.topics.users));
        Ok(Self { options: options.clone(), timeout, layout, partitions, current, knock })
    }

    /// To be called every few seconds. Blocks for a moment.
    pub(crate) fn knock(&self) {
        let client = Arc::clone(&self.current.lock().client);
        self.knock.lock().at(client.client());
    }

    /// Sends all records, without a pause, so that a caller that goes away leaves all of them or none.
    pub(crate) fn send(
        &self,
        records: &[NewRecord],
        line: Option<Line>,
        room: OwnedSemaphorePermit,
    ) -> Receiver<Vec<Appended>> {
        let mut is_over = line.as_ref().is_some_and(Line::has_ended);
        let (pending, answered) = Pending::new(records.len(), line, room);
        let client = self.client();
        for (index, record) in records.iter().enumerate() {
            let place = pending.place(index);
            // Behind a record that was not taken none is, though there may be room for it by now.
            if is_over || self.layout.number(record.shard).is_none() {
                place.fill(Appended::Refused(Refused::Unavailable));
            } else if record.bytes.len() > RECORD_BYTES {
                place.fill(Appended::Refused(Refused::TooLarge));
            } else {
                let sent = BaseRecord::<(), [u8], Box<Place>>::with_opaque_to(
                    self.layout.topic(record.shard.journal),
                    Box::new(place),
                )
                .partition(i32::from(record.shard.partition))
                .payload(&record.bytes);
                // Others write there too: ours are told apart.
                let sent = match self.layout.is_shared(record.shard.journal) {
                    true => sent.headers(marked()),
                    false => sent,
                };
                if let Err((error, unsent)) = client.send(sent) {
                    is_over = true;
                    self.unsent(&client, &error, *unsent.delivery_opaque);
                }
            }
        }
        answered
    }

    /// The queue is full, or the client has met its end: either way the record has not left.
    fn unsent(&self, client: &Client, error: &KafkaError, place: Place) {
        let refused = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Refused::TooLarge,
            code => {
                if code == Some(RDKafkaErrorCode::Fatal) {
                    client.context().voice.set_fatal();
                }
                tracing::warn!(%error, "a record was not taken");
                Refused::Unavailable
            }
        };
        place.fill(Appended::Refused(refused));
    }

    /// The client that sends; another one if it met an error after which librdkafka sends nothing any more. What the old one had under way is
    /// answered as `Unknown`, and whoever appended it repeats it with the same id.
    fn client(&self) -> Arc<Client> {
        let mut current = self.current.lock();
        if current.client.context().voice.is_fatal() && current.since.elapsed() >= RENEW_EVERY {
            current.since = Instant::now();
            match connect(&self.options, self.timeout, &self.layout, &self.partitions) {
                Ok(client) => {
                    tracing::error!("the producer met a fatal error and is replaced");
                    let old = std::mem::replace(&mut current.client, Arc::new(client));
                    // Its end waits for its thread.
                    drop(tokio::task::spawn_blocking(move || drop(old)));
                }
                Err(error) => tracing::error!(%error, "the producer cannot be replaced"),
            }
        }
        Arc::clone(&current.client)
    }

    /// Makes it fail for good, as a broker can.
    #[cfg(test)]
    pub(crate) fn end(&self) {
        souk_kafka::end_producer(self.current.lock().client.client());
    }

    /// Whether it failed for good and was not replaced yet.
    #[cfg(test)]
    pub(crate) fn has_ended(&self) -> bool {
        self.client().context().voice.is_fatal()
    }

    /// Waits until everything sent is answered, or for so long.
    pub(crate) fn flush(&self, patience: Duration) {
        let client = Arc::clone(&self.current.lock().client);
        if let Err(error) = client.flush(patience) {
            tracing::warn!(%error, "appends are left without an answer");
        }
    }
}

fn connect(
    options: &Options,
    timeout: Option<Duration>,
    layout: &Arc<Layout>,
    partitions: &Arc<Partitions>,
) -> Result<Client, Error> {
    let reports =
        Reports { voice: Voice::default(), layout: Arc::clone(layout), partitions: Arc::clone(partitions) };
    Client::from_config_and_context(&settings::producer(options, timeout), reports)
        .map_err(|error| Error::Client { why: error.to_string() })
}

impl Reports {
    fn outcome(&self, result: &DeliveryResult<'_>) -> Appended {
        match result {
            Ok(message) => self.delivered(message),
            Err((error, message)) => {
                tracing::warn!(%error, partition = message.partition(), "a record was not acknowledged");
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge) => {
                        Appended::Refused(Refused::TooLarge)
                    }
                    code => {
                        if code == Some(RDKafkaErrorCode::Fatal) {
                            self.voice.set_fatal();
                        }
                        let gone = never_left(message);
                        if gone { Appended::Refused(Refused::Unavailable) } else { Appended::Unknown }
                    }
                }
            }
        }
    }

    /// Acknowledged. A batch whose first answer was lost is acknowledged as a repeat, then without offsets: it is there, but nobody knows where.
    fn delivered(&self, message: &BorrowedMessage<'_>) -> Appended {
        let offset = u64::try_from(message.offset()).ok().map(|offset| offset + 1);
        let (Some(offset), Some(append_time)) = (offset, message.timestamp().to_millis()) else {
            return Appended::Unknown;
        };
        Appended::At { offset, append_time }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.voice.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Place>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Self::DeliveryOpaque) {
        let outcome = self.outcome(result);
        if let (Appended::At { offset, .. }, Ok(message)) = (outcome, result)
            && let Some(number) = self.layout.number_of(message.topic().as_bytes(), message.partition())
        {
            self.partitions.at(number).raise_end(offset);
        }
        place.fill(outcome);
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}
