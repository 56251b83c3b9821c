//! What a server is told. Defaults are the limits of [`crate::limits`], each with its reason there.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::HeaderValue;

use crate::ApiError;
use crate::limits;

/// Options of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Web origins whose pages may call: `https://shop.example`. None: pages of no other origin.
    pub origins: Vec<String>,
    pub connections: usize,
    pub connections_per_address: usize,
    pub streams_per_connection: u32,
    /// Unary calls under way at once; the next is OVERLOADED.
    pub calls: usize,
    /// Streams open at once; the next is TOO_MANY_STREAMS.
    pub streams: usize,
    pub first_request: Duration,
    /// Deadline of unary calls that name none.
    pub unary_deadline: Duration,
    /// Between NOT_SERVING and the first refusal.
    pub notice: Duration,
    /// From the first refusal to the hard stop.
    pub grace: Duration,
    /// Whether calls are timed.
    pub timed: bool,
}

/// Where a server listens unless told otherwise.
const PORT: u16 = 7070;

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            origins: Vec::new(),
            connections: limits::CONNECTIONS,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS,
            streams_per_connection: limits::STREAMS_PER_CONNECTION,
            calls: limits::CALLS,
            streams: limits::STREAMS,
            first_request: limits::FIRST_REQUEST,
            unary_deadline: limits::UNARY_DEADLINE,
            notice: limits::DRAIN_NOTICE,
            grace: limits::DRAIN_GRACE,
            timed: true,
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.origins.len() > limits::ORIGINS {
            return Err(ApiError::too_many("origins", self.origins.len(), limits::ORIGINS));
        }
        for (place, origin) in self.origins.iter().enumerate() {
            if HeaderValue::from_str(origin).is_err() || !origin.contains("://") {
                return Err(ApiError::invalid(
                    format!("origins[{place}]"),
                    "is written https://shop.example",
                ));
            }
        }
        Ok(())
    }
}
