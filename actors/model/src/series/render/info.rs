//! What an answer is worth, for readers.

use souk_proto::v1;

use super::super::query::AnswerInfo;
use crate::journal::ShardId;
use crate::time::to_timestamp;

impl AnswerInfo {
    /// What is known of it whatever its rows are. The position is long, and only there if asked for.
    pub fn to_proto(&self, with_position: bool) -> v1::AnswerInfo {
        let position = || {
            let parts = self.positions.iter().map(|(source, at)| format!("{}@{at}", ShardId::users(*source)));
            parts.collect::<Vec<_>>().join(",")
        };
        v1::AnswerInfo {
            as_of: self.as_of.map(to_timestamp),
            complete: Some(self.is_complete()),
            held_by: shard_names(self.held_by.iter().map(|source| ShardId::users(*source))),
            revision: Some(i64::try_from(self.revision).unwrap_or(i64::MAX)),
            position: if with_position { position() } else { String::new() },
            source: self.origin.source().into(),
            age: self.origin.age(),
            ..v1::AnswerInfo::default()
        }
    }
}

/// Shards as resource names: "shards/users-17".
pub fn shard_names(shards: impl IntoIterator<Item = ShardId>) -> Vec<String> {
    shards.into_iter().map(|shard| format!("shards/{shard}")).collect()
}
