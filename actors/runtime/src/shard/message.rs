//! What a shard's actor is told. Every queue before it is bounded: replies by the owner's own requests, peers by a count, the rest by one
//! at a time.

use souk_model::journal::ShardId;
use souk_model::owner::{Input, PeerMessage};
use souk_model::shard::Decoded;

#[derive(Debug)]
pub(crate) enum Message {
    /// A reply to something the owner asked for.
    Reply(Input),
    /// Entries read, with what they decode to.
    Entries { input: Input, decoded: Vec<(u64, Box<Decoded>)> },
    /// Another owner says something.
    Peer { from: ShardId, message: PeerMessage },
    /// The time asked for has come.
    Wake,
    /// A read wants these sections in memory.
    Load(Vec<u16>),
    /// Cut, then stop.
    HandOver,
}
