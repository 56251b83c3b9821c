//! Which topic it is: a topic that was deleted and made anew has the same name and another identity.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use rdkafka_sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
use rdkafka_sys::{
    RDKafkaErrorCode as Code, rd_kafka_AdminOptions_t, rd_kafka_TopicCollection_t, rd_kafka_event_t,
    rd_kafka_queue_t,
};

/// Something librdkafka made for us, and how it is given back.
struct Owned<T> {
    object: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(object: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Result<Self, RDKafkaErrorCode> {
        NonNull::new(object).map(|object| Self { object, destroy }).ok_or(Code::InvalidArgument)
    }

    fn ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the object was made for us, `destroy` is what librdkafka names for its kind, and this happens once.
        unsafe { (self.destroy)(self.object.as_ptr()) };
    }
}

/// Identity of a topic, drawn by its cluster when it was made: the 128 bits folded to 64, of which none are likely to meet. Blocks.
pub fn topic_id<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<u64, RDKafkaErrorCode> {
    let client = client.client().native_ptr();
    let name = CString::new(topic).map_err(|_| Code::InvalidTopic)?;
    let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);

    let mut names = [name.as_ptr()];
    // SAFETY: one name is there, as the call is told, and it is copied.
    let topics = unsafe { rdkafka_sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), 1) };
    let topics: Owned<rd_kafka_TopicCollection_t> =
        Owned::new(topics, rdkafka_sys::rd_kafka_TopicCollection_destroy)?;
    // SAFETY: the client is alive.
    let options = unsafe { rdkafka_sys::rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS) };
    let options: Owned<rd_kafka_AdminOptions_t> =
        Owned::new(options, rdkafka_sys::rd_kafka_AdminOptions_destroy)?;
    // SAFETY: the options are alive; no text of an error is asked for.
    let refused = unsafe {
        rdkafka_sys::rd_kafka_AdminOptions_set_request_timeout(options.ptr(), millis, ptr::null_mut(), 0)
    };
    if refused.is_error() {
        return Err(refused.into());
    }
    // SAFETY: the client is alive; the queue is given back before this function returns.
    let queue = unsafe { rdkafka_sys::rd_kafka_queue_new(client) };
    let queue: Owned<rd_kafka_queue_t> = Owned::new(queue, rdkafka_sys::rd_kafka_queue_destroy)?;

    // SAFETY: all four are alive; the request copies what it needs of the topics and the options.
    unsafe { rdkafka_sys::rd_kafka_DescribeTopics(client, topics.ptr(), options.ptr(), queue.ptr()) };
    // SAFETY: the queue is alive. The request ends by its own timeout, so a little more is enough.
    let event = unsafe { rdkafka_sys::rd_kafka_queue_poll(queue.ptr(), millis.saturating_add(1_000)) };
    let event: Owned<rd_kafka_event_t> =
        Owned::new(event, rdkafka_sys::rd_kafka_event_destroy).map_err(|_| Code::OperationTimedOut)?;
    described(&event)
}

/// Reads the identity out of the answer.
fn described(event: &Owned<rd_kafka_event_t>) -> Result<u64, RDKafkaErrorCode> {
    // SAFETY: the event is alive.
    let error = unsafe { rdkafka_sys::rd_kafka_event_error(event.ptr()) };
    if error.is_error() {
        return Err(error.into());
    }
    // SAFETY: the event is alive; for an event of another kind the call gives null, which is looked for.
    let result = unsafe { rdkafka_sys::rd_kafka_event_DescribeTopics_result(event.ptr()) };
    if result.is_null() {
        return Err(Code::InvalidArgument);
    }
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive; so does the array, of as many descriptions as `count` then says.
    let topics = unsafe { rdkafka_sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count) };
    if topics.is_null() || count == 0 {
        return Err(Code::UnknownTopic);
    }
    // SAFETY: there is one description at least, and it belongs to the event.
    let topic = unsafe { *topics };
    // SAFETY: the description is alive; the error belongs to it, and null is none.
    let error = unsafe { rdkafka_sys::rd_kafka_TopicDescription_error(topic) };
    if !error.is_null() {
        // SAFETY: the error is not null and belongs to the description.
        let code = unsafe { rdkafka_sys::rd_kafka_error_code(error) };
        if code.is_error() {
            return Err(code.into());
        }
    }
    // SAFETY: the description is alive; the identity belongs to it.
    let id = unsafe { rdkafka_sys::rd_kafka_TopicDescription_topic_id(topic) };
    if id.is_null() {
        return Err(Code::UnsupportedFeature);
    }
    // SAFETY: the identity is not null and alive.
    let high = unsafe { rdkafka_sys::rd_kafka_Uuid_most_significant_bits(id) };
    // SAFETY: as above.
    let low = unsafe { rdkafka_sys::rd_kafka_Uuid_least_significant_bits(id) };
    match high.cast_unsigned().rotate_left(1) ^ low.cast_unsigned() {
        // Brokers before 2.8 give topics no identity.
        0 => Err(Code::UnsupportedFeature),
        folded => Ok(folded),
    }
}
