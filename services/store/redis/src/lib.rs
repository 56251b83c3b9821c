//! The view in Redis: what of the series stands there under names that others chose, for others to read.
//!
//! [`RedisCache`] is the runtime's port of a cache. A write's way: `breaker` says whether Redis is asked at all, `pipeline` makes commands
//! into one request, `script` is what Redis does for each: it sets a value only if it is newer than what stands. It is told how new a value
//! is by a key of ours beside it, in the same slot of a cluster.
//!
//! Redis may be empty or away at any moment. Empty is noticed by a key of each node's own that is gone, and said to the caller, who writes
//! everything anew. Away is an error at once while the breaker is open, and at most [`limits::RESPONSE_TIMEOUT`] late when it is not.

mod breaker;
mod cache;
mod error;
pub mod limits;
mod mark;
mod pipeline;
mod script;

pub use cache::{Options, RedisCache};
pub use error::Error;
