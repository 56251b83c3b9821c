//! Servers and clients of the public services, and of the one nodes have for each other.
//!
//! A client speaks the messages of [`crate::v1`]. A server differs in two places, on the same wire: batches of events come in as
//! [`raw`] bytes, so that each event is decoded once, where it is judged; and rows of metrics go out as they were
//! [`encoded`] where they were joined: once for all readers of a watch.

pub mod encoded;
pub mod raw;

/// Clients of the public services.
#[allow(clippy::all, missing_debug_implementations, unreachable_pub, rustdoc::all)] // generated
pub mod client {
    include!(concat!(env!("OUT_DIR"), "/client/souk.v1.rs"));
}

/// Servers of the public services.
#[allow(clippy::all, missing_debug_implementations, unreachable_pub, rustdoc::all)] // generated
pub mod server {
    include!(concat!(env!("OUT_DIR"), "/server/souk.v1.rs"));
}

/// What nodes have for each other, `souk.internal.v1`.
#[allow(clippy::all, missing_debug_implementations, unreachable_pub, rustdoc::all)] // generated
pub mod peer {
    include!(concat!(env!("OUT_DIR"), "/client/souk.internal.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/server/souk.internal.v1.rs"));
}
