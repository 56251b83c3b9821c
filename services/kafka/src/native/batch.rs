//! Messages taken from a consumer's queue many at a time: one by one costs a third more, and a lock for each.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::{fmt, ptr, slice};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use rdkafka_sys::{RDKafkaMessage, RDKafkaQueue, rd_kafka_timestamp_type_t};
use souk_model::time::Millis;

use crate::limits::BATCH_MESSAGES;

/// The queue all partitions of a consumer are served through. Used by one thread.
pub struct Batches<C: ConsumerContext> {
    queue: NonNull<RDKafkaQueue>,
    slots: Vec<*mut RDKafkaMessage>,
    /// Declared last: it must outlive the queue.
    _consumer: Arc<BaseConsumer<C>>,
}

impl<C: ConsumerContext> Batches<C> {
    /// None if the consumer has no group and therefore no queue of its own.
    pub fn new(consumer: Arc<BaseConsumer<C>>) -> Option<Self> {
        // SAFETY: the client is alive, for the consumer is; the queue handed out is owned here and given back in `drop`.
        let queue = unsafe { rdkafka_sys::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        let slots = vec![ptr::null_mut(); BATCH_MESSAGES];
        Some(Self { queue: NonNull::new(queue)?, slots, _consumer: consumer })
    }

    /// Hands over what waits, without waiting for more, and says how many messages that were. What `each` does with a message it does
    /// before it returns: the message is gone afterwards.
    pub fn take(&mut self, mut each: impl FnMut(Message<'_>)) -> usize {
        // SAFETY: the queue is alive, and there are as many slots as the call is told; it writes so many of them as it returns.
        let count = unsafe {
            rdkafka_sys::rd_kafka_consume_batch_queue(
                self.queue.as_ptr(),
                0,
                self.slots.as_mut_ptr(),
                self.slots.len(),
            )
        };
        // Below zero is an error of the queue itself, of which there are none without a consumer group.
        let count = usize::try_from(count).unwrap_or(0).min(self.slots.len());
        let taken = Taken(&self.slots[..count]);
        for message in taken.0 {
            // SAFETY: the call filled the slot with a message that is ours until `taken` gives it back, after this loop.
            let message = unsafe { &**message };
            each(Message { native: message, _borrowed: PhantomData });
        }
        count
    }
}

impl<C: ConsumerContext> fmt::Debug for Batches<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

impl<C: ConsumerContext> Drop for Batches<C> {
    fn drop(&mut self) {
        // SAFETY: the queue came from `rd_kafka_queue_get_consumer`, is given back once, and its client is dropped after this.
        unsafe { rdkafka_sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// Gives messages back, whatever happens while they are looked at.
struct Taken<'a>(&'a [*mut RDKafkaMessage]);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for message in self.0 {
            // SAFETY: each was taken from the queue and is given back exactly once; no `Message` outlives `take`.
            unsafe { rdkafka_sys::rd_kafka_message_destroy(*message) };
        }
    }
}

/// One message, or an error about a partition.
#[derive(Debug)]
pub struct Message<'a> {
    native: &'a RDKafkaMessage,
    _borrowed: PhantomData<&'a [u8]>,
}

impl<'a> Message<'a> {
    pub fn error(&self) -> Option<RDKafkaErrorCode> {
        self.native.err.is_error().then(|| self.native.err.into())
    }

    /// Its topic; none for an error that is about no topic.
    pub fn topic(&self) -> Option<&'a CStr> {
        let topic = NonNull::new(self.native.rkt)?;
        // SAFETY: a message holds its topic alive; the call only reads the handle.
        let name = unsafe { rdkafka_sys::rd_kafka_topic_name(topic.as_ptr()) };
        // SAFETY: the name belongs to the topic, ends with a zero byte, and never changes.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
    }

    pub fn partition(&self) -> i32 {
        self.native.partition
    }

    pub fn offset(&self) -> i64 {
        self.native.offset
    }

    /// Its bytes; a message without a value has none.
    pub fn payload(&self) -> &'a [u8] {
        let start = self.native.payload.cast::<u8>().cast_const();
        if start.is_null() || self.native.len == 0 {
            return &[];
        }
        // SAFETY: the message says where its payload is and how long; it lives and is not written to while borrowed.
        unsafe { slice::from_raw_parts(start, self.native.len) }
    }

    /// When the broker appended it; none where the time is the producer's, or nobody's.
    pub fn append_time(&self) -> Option<Millis> {
        let mut kind = rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is borrowed, and what kind of time it is is written before the call returns.
        let time = unsafe { rdkafka_sys::rd_kafka_message_timestamp(self.native, &raw mut kind) };
        let is_brokers = kind == rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
        (is_brokers && time >= 0).then_some(time)
    }

    /// Whether it has a header of this name.
    pub fn is_marked(&self, name: &str) -> bool {
        let Ok(name) = CString::new(name) else { return false };
        let mut headers = ptr::null_mut();
        // SAFETY: the message is borrowed; headers are read out of it once and belong to it from then on.
        let error = unsafe { rdkafka_sys::rd_kafka_message_headers(self.native, &raw mut headers) };
        if error.is_error() || headers.is_null() {
            return false;
        }
        let (mut value, mut size) = (ptr::null(), 0);
        // SAFETY: the headers live as long as the message; the name ends with a zero byte; both results are written before the call returns.
        let found = unsafe {
            rdkafka_sys::rd_kafka_header_get_last(headers, name.as_ptr(), &raw mut value, &raw mut size)
        };
        !found.is_error()
    }
}

/// How many records the partition had when the broker last answered a fetch of it; none before the first answer.
pub fn end_heard<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: i32) -> Option<u64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive, the name ends with a zero byte, and both offsets are written before the call returns.
    let error = unsafe {
        rdkafka_sys::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    if error.is_error() { None } else { u64::try_from(high).ok() }
}
