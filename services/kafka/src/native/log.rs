//! The log of a consumer whose queue is taken in batches. Such a queue serves log lines by itself, to a function without a context.

use std::ffi::{CStr, c_char, c_int};

use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka_sys::RDKafka;

use crate::voice::say;

/// Has its log lines go where all others go, instead of straight to stderr.
pub fn log_to_tracing<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    // SAFETY: the client is alive, and the function lives as long as the process.
    unsafe { rdkafka_sys::rd_kafka_set_logger(consumer.client().native_ptr(), Some(line)) };
}

unsafe extern "C" fn line(_: *const RDKafka, level: c_int, facility: *const c_char, text: *const c_char) {
    if facility.is_null() || text.is_null() {
        return;
    }
    // SAFETY: not null; librdkafka hands over a text that ends with a zero byte and lives until this returns.
    let facility = unsafe { CStr::from_ptr(facility) };
    // SAFETY: as above.
    let text = unsafe { CStr::from_ptr(text) };
    let level = match level {
        ..=3 => Level::Error,
        4 => Level::Warning,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    };
    say(level, &facility.to_string_lossy(), &text.to_string_lossy());
}
