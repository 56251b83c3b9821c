//! Every bound of the journal on Kafka, by name, with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

use souk_model::time::{MINUTE, Millis};

/// One record: what the model takes, and so every journal.
pub const RECORD_BYTES: usize = souk_model::limits::RECORD_BYTES;
/// Partitions of one topic, as the embedded journal's.
pub const PARTITIONS: u16 = 1_024;

/// Appends admitted but not answered. Further callers wait.
pub const QUEUE_BYTES: usize = 64 << 20;
/// What a queued record counts beside its bytes: librdkafka's own bookkeeping.
pub const QUEUED_RECORD_BYTES: usize = 256;
/// How long a caller waits for room in the queue before it hears that the journal is unavailable.
pub const QUEUE_WAIT: Duration = Duration::from_secs(5);
/// librdkafka's own bounds of the same queue. One append may be larger than what is admitted beside others: it meets these.
pub const CLIENT_QUEUE_BYTES: usize = 2 * QUEUE_BYTES;
pub const CLIENT_QUEUE_RECORDS: usize = 500_000;
/// How long the producer waits for company before it sends a batch. None would send every record alone, which no broker stands for long.
pub const LINGER: Duration = Duration::from_millis(2);
/// Bytes of one batch: below what brokers take by default (1 MiB).
pub const BATCH_BYTES: usize = 1_000_000;
/// How long an append may be under way, repeats included, before its outcome is `Unknown`: longer than a broker's restart or a change of
/// leader. What stands in no line is given up then.
pub const APPEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest and longest of it that can be asked for.
pub const LEAST_APPEND_TIMEOUT: Duration = Duration::from_millis(100);
pub const MOST_APPEND_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a message of a [`Sender`](crate::Sender) may be under way: nobody waits for it but a command at its end.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// A producer that met a fatal error is replaced, and a consumer that cannot be made is tried again, but not more often than this.
pub const RENEW_EVERY: Duration = Duration::from_secs(1);

/// Bytes that wait unread in all windows together, shared equally by the partitions that are fetched.
pub const WINDOWS_BYTES: usize = 64 << 20;
/// Least and most of it that one partition has. Above its share it is paused, and goes on below half of it: a pause throws away what
/// librdkafka had fetched ahead, and what comes after one takes a question to the broker, so both are to be rare. With 1 MiB a node that
/// folds eight partitions waited for a quarter of its time.
pub const WINDOW_BYTES: RangeInclusive<usize> = (1 << 20)..=(4 << 20);
/// Bytes that stay in a window after they were read, for others who wait for the same.
pub const KEPT_BYTES: usize = 256 << 10;
/// A reader so many entries ahead of what was fetched waits for it; one further ahead has the window moved.
pub const NEAR_ENTRIES: u64 = 1_000;
/// What an entry in a window counts beside its bytes.
pub const ENTRY_BYTES: usize = 64;
/// Bytes of one partition in one answer of a broker, and of all of them together. One record that is larger comes all the same.
pub const FETCH_PARTITION_BYTES: usize = 1 << 20;
pub const FETCH_BYTES: usize = 8 << 20;
/// Bytes librdkafka keeps ahead of the windows, over all partitions.
pub const FETCHED_KIB: usize = 8 << 10;
/// Bytes of fetched messages that lie in one piece of memory: small enough for the allocator to keep at hand, and gone when the last of them was read.
pub const PIECE_BYTES: usize = 64 << 10;
/// How long the broker holds an empty answer back. A partition that is newly assigned waits for the answer under way, so not long.
pub const FETCH_WAIT: Duration = Duration::from_millis(100);
/// How long librdkafka leaves a partition alone that has enough fetched ahead. Its default, 1 s, is a standstill.
pub const FETCH_BACKOFF: Duration = Duration::from_millis(10);
/// How often an idle fetching thread looks round although nothing called it.
pub const IDLE_POLL: Duration = Duration::from_millis(100);

/// How long a read waits for entries that are known to be there.
pub const READ_PATIENCE: Duration = Duration::from_secs(5);
/// Times a read starts over, because retention moved or its window went elsewhere, before it gives up.
pub const READ_TRIES: usize = 64;
/// How long a question to the broker may take.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a broker that just answered may take to say which topic it is.
pub const IDENTITY_TIMEOUT: Duration = Duration::from_secs(1);
/// Questions under way at a time, each on a thread that waits for its answer. Further callers wait as long as a question may take.
pub const QUESTIONS: usize = 32;
/// How long an answer about which topic it is counts as fresh. Owners ask on takeover, readers far more often.
pub const IDENTITY_FRESH: Duration = Duration::from_secs(1);
/// One question to a broker that may not be there yet, while a journal opens.
pub const KNOCK: Duration = Duration::from_millis(250);
/// How long a journal waits for a broker when it opens, unless told otherwise.
pub const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// How long the making of topics may take.
pub const PREPARE_TIMEOUT: Duration = Duration::from_secs(30);

/// How often the watchdog looks. A partition that stood still between two looks though it had more is assigned anew.
pub const WATCH_EVERY: Duration = souk_kafka::limits::KNOCK_EVERY;
/// Looks, one after the other, at which a partition stands still though it was assigned anew, before another consumer takes its place.
pub const STILL_LOOKS: u32 = 2;
/// A partition that nobody has read for so long is no longer fetched. Owners come back every few seconds.
pub const IDLE_AFTER: Duration = Duration::from_secs(30);

/// Records of a topic looked at before it is adopted: one of them in another partition than was declared refuses it.
pub const SAMPLE: usize = 10_000;
/// How long that may take.
pub const SAMPLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Messages of one batch of a bridge, and their bytes: what is appended in one go, and repeated after a death. Fewer than the fold remembers of a source.
pub const BRIDGE_BATCH: usize = souk_model::limits::BRIDGE_WINDOW / 2;
pub const BRIDGE_BATCH_BYTES: usize = 4 << 20;
/// Bytes of one partition in one answer of a broker to a bridge, which is in no hurry.
pub const BRIDGE_FETCH_BYTES: usize = 256 << 10;
/// How long a bridge waits for a first message before it looks whether it is to stop.
pub const BRIDGE_POLL: Duration = Duration::from_millis(100);
/// How far a bridge's threads stand back from those of shards (Linux's nice): about a tenth of what others have where all want more, so that it
/// is never starved either.
pub const BRIDGE_NICE: i32 = 10;
/// Pause between two instances of a bridge: the first, and the longest of those that double for as long as nothing gets through.
pub const BRIDGE_RESTART: Duration = Duration::from_secs(1);
pub const BRIDGE_RESTART_MOST: Duration = Duration::from_secs(30);
/// How often a bridge that has something to append asks whether its topic is still the one it was: records bear its identity.
pub const BRIDGE_LOOK: Duration = Duration::from_secs(1);
/// And where nothing came for so long, before what comes then: no topic is made anew faster.
pub const BRIDGE_QUIET: Duration = Duration::from_millis(50);
/// How often a bridge's client says how far behind it is.
pub const BRIDGE_LAG: Duration = Duration::from_secs(1);
/// How far a broker's clock may be from this node's: an event nearer than this to the fold's bounds of time is left to the fold.
pub const BRIDGE_SKEW: Millis = MINUTE;
/// Bytes of a message that a dead letter repeats: a topic takes larger ones, but nobody reads them.
pub const LETTER_BYTES: usize = 64 << 10;

/// Least time a topic must keep its records: the longest a cut may lag, many times over.
pub const LEAST_RETENTION: Duration = Duration::from_secs(7 * 24 * 3_600);
