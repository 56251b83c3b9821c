//! What nodes say to each other, as messages of `souk.internal.v1`: tallies between owners, questions to series and their answers, and
//! where a shard stands. What cannot be read is refused whole: the sender is of another release, or not of ours.

mod answer;
mod query;
mod standing;
mod tally;
#[cfg(test)]
mod tests;

use souk_proto::internal::v1 as internal;

use crate::journal::{NoShard, ShardId};
use crate::owner::PeerMessage;

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a peer's message cannot be read: {0}")]
pub struct Unreadable(pub String);

impl From<NoShard> for Unreadable {
    fn from(error: NoShard) -> Self {
        Self(error.to_string())
    }
}

fn unreadable(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}

/// What an owner says to another, on its way to another node.
pub fn to_link(from: ShardId, to: ShardId, message: PeerMessage) -> internal::LinkRequest {
    use internal::link_request::Message;
    let message = match message {
        PeerMessage::Tally(batch) => Message::Tally(tally::encode(batch)),
        PeerMessage::TallySince(asked) => Message::Since(internal::TallySince { since: asked.since }),
        PeerMessage::TallyAck(ack) => {
            Message::Ack(internal::TallyAck { upto: ack.upto, durable: ack.durable })
        }
    };
    internal::LinkRequest {
        to: to.to_string(),
        from: from.to_string(),
        message: Some(message),
        ..internal::LinkRequest::default()
    }
}

/// Reads what an owner on another node says: from which shard, to which, and what.
pub fn from_link(request: internal::LinkRequest) -> Result<(ShardId, ShardId, PeerMessage), Unreadable> {
    use internal::link_request::Message;
    let message = match request.message {
        Some(Message::Tally(batch)) => PeerMessage::Tally(tally::decode(batch)?),
        Some(Message::Since(asked)) => {
            PeerMessage::TallySince(crate::tally::TallyRequest { since: asked.since })
        }
        Some(Message::Ack(ack)) => {
            PeerMessage::TallyAck(crate::tally::TallyAck { upto: ack.upto, durable: ack.durable })
        }
        Some(Message::Interest(_)) | None => return Err(unreadable("it is from no owner")),
    };
    Ok((request.from.parse()?, request.to.parse()?, message))
}
