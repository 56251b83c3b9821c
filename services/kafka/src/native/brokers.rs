//! The addresses a client begins with, told to it once more.

use std::ffi::CString;

use rdkafka::client::{Client, ClientContext};

/// Adds brokers by their addresses, with commas between them. Those it knows already are left as they are.
pub(crate) fn add_brokers<C: ClientContext>(client: &Client<C>, addresses: &str) {
    let Ok(addresses) = CString::new(addresses) else { return };
    // SAFETY: the client is alive, and the text ends with a zero byte and is copied.
    let added = unsafe { rdkafka_sys::rd_kafka_brokers_add(client.native_ptr(), addresses.as_ptr()) };
    tracing::debug!(added, "a client that hears no broker is told where they are");
}
