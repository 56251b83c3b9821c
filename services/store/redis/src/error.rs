//! What can keep a view in Redis from being opened.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("redis.address: `{address}` is not host:port: {why}")]
    Address { address: String, why: String },
}
