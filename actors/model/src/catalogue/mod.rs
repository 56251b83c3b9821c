//! The resident catalogue of a products shard.
