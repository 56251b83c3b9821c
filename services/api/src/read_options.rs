//! How fresh an answer must be, from the request to the runtime; and what an answer is worth, from the runtime to the response.

use souk_model::journal::ShardId;
use souk_model::time::{Millis, SECOND, to_timestamp};
use souk_proto::v1;
use souk_proto::v1::answer_info::Source;
use souk_runtime::Position;
use souk_runtime::read::{Freshness, Read, ReadOptions};

use crate::call::Call;
use crate::error::{ApiError, Checks};
use crate::limits::POSITION_BYTES;
use crate::names;

/// A read as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct ReadCall {
    /// What the runtime is asked with.
    pub options: ReadOptions,
    /// Whether the answer carries its position.
    pub with_position: bool,
}

impl ReadCall {
    /// Reads a request's `read`; absent means every default.
    pub fn of(read: Option<&v1::ReadOptions>, call: &Call) -> Result<Self, ApiError> {
        let deadline = call.deadline;
        let Some(read) = read else {
            let options = ReadOptions { deadline, ..ReadOptions::default() };
            return Ok(Self { options, with_position: false });
        };
        let mut checks = Checks::default();
        let min_position = checks.take(position("read.min_position", &read.min_position));
        let freshness = checks.take(freshness("read.freshness", read.freshness));
        checks.done()?;
        let options = ReadOptions {
            min_position: min_position.unwrap_or_default(),
            freshness: freshness.unwrap_or_default(),
            deadline,
        };
        Ok(Self { options, with_position: read.with_position })
    }

    /// What one shard's answer is worth. Its position is its revision: both rise with every record.
    pub fn info<T>(&self, read: &Read<T>) -> v1::AnswerInfo {
        v1::AnswerInfo {
            as_of: (read.now.offset > 0).then(|| to_timestamp(read.now.watermark)),
            complete: Some(true),
            revision: Some(revision(read.now.offset)),
            position: if self.with_position { read.position().to_string() } else { String::new() },
            source: read.origin.source().into(),
            age: read.origin.age(),
            ..v1::AnswerInfo::default()
        }
    }

    /// What a list over several shards is worth: complete unless some could not be reached. It has no order of its own.
    pub fn info_of_list<T>(&self, reads: &[Read<T>], unreachable: &[ShardId]) -> v1::AnswerInfo {
        let position = reads.iter().fold(Position::default(), |mut position, read| {
            position.reach(read.shard, read.now.offset);
            position
        });
        let as_of = reads.iter().filter(|read| read.now.offset > 0).map(|read| read.now.watermark).min();
        let origin = reads.iter().map(|read| read.origin).max().unwrap_or_default();
        v1::AnswerInfo {
            as_of: as_of.map(to_timestamp),
            complete: Some(unreachable.is_empty()),
            held_by: unreachable.iter().map(|shard| names::of_shard(*shard)).collect(),
            position: if self.with_position { position.to_string() } else { String::new() },
            source: origin.source().into(),
            age: origin.age(),
            ..v1::AnswerInfo::default()
        }
    }
}

/// What a command's outcome is worth: its position always, so that the caller reads its own write.
pub fn info_of_write(position: &Position) -> v1::AnswerInfo {
    v1::AnswerInfo {
        complete: Some(true),
        revision: Some(revision(position.0.values().sum())),
        position: position.to_string(),
        source: Source::Owner.into(),
        ..v1::AnswerInfo::default()
    }
}

/// What a list of what a node itself knows is worth: no shard's state was read.
pub fn info_of_node() -> v1::AnswerInfo {
    v1::AnswerInfo { complete: Some(true), ..v1::AnswerInfo::default() }
}

/// A duration as answers write it.
pub fn duration(millis: Millis) -> prost_types::Duration {
    prost_types::Duration {
        seconds: millis.div_euclid(SECOND),
        nanos: (millis.rem_euclid(SECOND) * 1_000_000) as i32,
    }
}

/// A position a caller hands back.
pub fn position(field: &str, text: &str) -> Result<Position, ApiError> {
    if text.len() > POSITION_BYTES {
        return Err(ApiError::invalid(field, format!("is at most {POSITION_BYTES} bytes")));
    }
    text.parse()
        .map_err(|error: souk_runtime::position::NoPosition| ApiError::invalid(field, error.to_string()))
}

fn freshness(field: &str, value: i32) -> Result<Freshness, ApiError> {
    use v1::read_options::Freshness as Asked;
    match Asked::try_from(value) {
        Ok(Asked::Unspecified | Asked::Any) => Ok(Freshness::Any),
        Ok(Asked::Owner) => Ok(Freshness::Owner),
        Ok(Asked::Latest) => Ok(Freshness::Latest),
        Err(_) => Err(ApiError::invalid(field, "is no value of its enum")),
    }
}

/// Offsets stay far inside 63 bits; a sum of them too.
fn revision(sum: u64) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use souk_model::time::Now;
    use souk_model::verdict::Reason;
    use tokio::time::Instant;

    use super::*;

    fn call() -> Call {
        Call { shop: "main".to_owned(), deadline: None }
    }

    #[test]
    fn absent_options_are_the_defaults_with_the_calls_deadline() {
        let call = Call { deadline: Some(Instant::now()), ..call() };
        let read = ReadCall::of(None, &call).unwrap();
        assert_eq!((read.options.deadline, read.with_position), (call.deadline, false));
        assert!(read.options.min_position.is_empty());
    }

    #[test]
    fn bad_options_are_all_named() {
        let read = v1::ReadOptions { min_position: "x".to_owned(), freshness: 9, with_position: true };
        let Err(ApiError::Refused(refused)) = ReadCall::of(Some(&read), &call()) else {
            panic!("both are bad")
        };
        assert_eq!(refused.reason, Reason::FieldInvalid);
        let paths: Vec<_> = refused.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["read.min_position", "read.freshness"]);
    }

    #[test]
    fn positions_come_only_when_asked_for() {
        let now = Now { offset: 7, watermark: 5_000, ..Now::default() };
        let read = Read { value: (), shard: ShardId::users(3), now, origin: Default::default() };
        let mut asked = ReadCall::default();
        let info = asked.info(&read);
        assert_eq!((info.position.as_str(), info.revision, info.as_of.unwrap().seconds), ("", Some(7), 5));
        asked.with_position = true;
        assert_eq!(asked.info(&read).position, "users-3@7");
        let list = asked.info_of_list(&[read], &[ShardId::users(17)]);
        assert_eq!((list.complete, list.held_by[0].as_str()), (Some(false), "shards/users-17"));
        assert_eq!(list.revision, None);
    }
}
