//! The pure core of Souk: state is a fold over a log, and every decision is made by the log's order.
//!
//! A record's way through this crate: bytes → [`record`] (decode, validate) → [`shard`] (time, timers, one file per kind of
//! record) → an actor ([`user`], [`product`]) kept by [`bucket`] → facts → [`tally`] at the user shard → [`series`] at the products
//! shard. [`cut`] makes a shard's state durable, [`owner`] is the protocol that carries a shard: takeover, replay, cuts, re-sends.
//!
//! Nothing here reads a clock, draws a random number, does I/O or iterates a hashed map: same records, same state, anywhere.
//! `SEMANTICS.md` beside this crate says exactly what the fold means.

pub mod actor;
pub mod bucket;
pub mod catalogue;
pub mod codec;
pub mod cut;
pub mod fact;
pub mod journal;
pub mod key;
pub mod keying;
pub mod limits;
pub mod memory;
pub mod metric;
pub mod money;
pub mod origin;
pub mod output;
pub mod owner;
pub mod peer;
pub mod planted;
pub mod product;
pub mod record;
pub mod ring;
pub mod series;
pub mod settings;
pub mod shard;
pub mod tally;
pub mod time;
pub mod user;
pub mod verdict;
pub mod view;
