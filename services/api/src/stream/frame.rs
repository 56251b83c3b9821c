//! One frame: a reader's own head before a row that all readers share.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message;
use souk_model::journal::ShardId;
use souk_model::series::AnswerInfo;
use souk_model::time::to_timestamp;
use souk_proto::grpc::encoded::Encoded;
use souk_proto::v1;
use souk_proto::v1::answer_info::Source;
use souk_proto::v1::stream_frame::Kind;
use souk_runtime::watch::{Update, WatchStanding};

use super::token::Binding;
use crate::limits::RETRY_AFTER;
use crate::names;

/// The head of a method's responses: everything but the row.
pub(crate) type Head<M> = fn(v1::StreamFrame, usize) -> M;

/// Where a reader stands, as its frames say it.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    standing: WatchStanding,
    token: String,
}

/// Makes the frames of one stream.
#[derive(Debug)]
pub(super) struct Framer<M> {
    head: Head<M>,
    binding: Binding,
    /// Offset of the next record to look for events in, where every event is sent.
    pub(super) events: Option<u64>,
    /// What the frame before was worth: not said twice.
    said: Option<v1::AnswerInfo>,
}

impl<M: Message> Framer<M> {
    pub(super) fn new(head: Head<M>, binding: Binding, events: Option<u64>) -> Self {
        Self { head, binding, events, said: None }
    }

    pub(super) fn mark(&self, standing: WatchStanding) -> Mark {
        Mark { token: self.binding.seal(&standing, self.events), standing }
    }

    pub(super) fn update(&mut self, update: Update, mark: &Mark) -> Encoded {
        match update {
            Update::Row { query, body, snapshot } => {
                let kind = if snapshot { Kind::Snapshot } else { Kind::Delta };
                self.row(kind, query, body, mark)
            }
            Update::Gone { query, body } => self.row(Kind::Delete, query, body, mark),
            Update::SnapshotEnd => self.plain(Kind::SnapshotEnd, mark),
            Update::Lagged { skipped } => {
                let skipped = i64::try_from(skipped).unwrap_or(i64::MAX);
                let frame = v1::StreamFrame { skipped, ..self.frame(Kind::Lagged, mark, None) };
                self.encoded(frame, 0, Bytes::new())
            }
            Update::GoAway => self.go_away(mark),
        }
    }

    pub(super) fn row(&mut self, kind: Kind, query: usize, body: Bytes, mark: &Mark) -> Encoded {
        let frame = self.frame(kind, mark, worth_of(&mark.standing, query));
        self.encoded(frame, query, body)
    }

    pub(super) fn bookmark(&mut self, mark: &Mark) -> Encoded {
        self.plain(Kind::Bookmark, mark)
    }

    pub(super) fn go_away(&mut self, mark: &Mark) -> Encoded {
        let retry_after = prost_types::Duration::try_from(RETRY_AFTER).ok();
        let frame = v1::StreamFrame { retry_after, ..self.frame(Kind::GoAway, mark, worth(&mark.standing)) };
        self.encoded(frame, 0, Bytes::new())
    }

    fn plain(&mut self, kind: Kind, mark: &Mark) -> Encoded {
        let frame = self.frame(kind, mark, worth(&mark.standing));
        self.encoded(frame, 0, Bytes::new())
    }

    fn frame(&mut self, kind: Kind, mark: &Mark, info: Option<v1::AnswerInfo>) -> v1::StreamFrame {
        let info = info.filter(|info| self.said.as_ref() != Some(info));
        if info.is_some() {
            self.said.clone_from(&info);
        }
        v1::StreamFrame {
            kind: kind.into(),
            resume_token: mark.token.clone(),
            info,
            ..v1::StreamFrame::default()
        }
    }

    fn encoded(&self, frame: v1::StreamFrame, query: usize, body: Bytes) -> Encoded {
        Encoded::new(&(self.head)(frame, query), body)
    }
}

/// What rows of one query are worth.
fn worth_of(standing: &WatchStanding, query: usize) -> Option<v1::AnswerInfo> {
    match standing.infos.get(query) {
        Some(Some(info)) => Some(info.to_proto(false)),
        _ => of_shard(standing),
    }
}

/// What all rows of the stream are worth. Several queries have no order of their own together.
pub(super) fn worth(standing: &WatchStanding) -> Option<v1::AnswerInfo> {
    let infos: Vec<&AnswerInfo> = standing.infos.iter().flatten().collect();
    match infos.as_slice() {
        [] => of_shard(standing),
        [only] => Some(only.to_proto(false)),
        several => {
            let held_by: BTreeSet<u16> =
                several.iter().flat_map(|info| info.held_by.iter().copied()).collect();
            let as_of = several.iter().map(|info| info.as_of).min().flatten();
            Some(v1::AnswerInfo {
                as_of: as_of.map(to_timestamp),
                complete: Some(held_by.is_empty()),
                held_by: held_by.into_iter().map(|source| names::of_shard(ShardId::users(source))).collect(),
                source: Source::Owner.into(),
                ..v1::AnswerInfo::default()
            })
        }
    }
}

/// Of a user: its shard has counted in everything it stands behind.
fn of_shard(standing: &WatchStanding) -> Option<v1::AnswerInfo> {
    let (_, at) = standing.position?;
    Some(v1::AnswerInfo {
        as_of: standing.as_of.map(to_timestamp),
        complete: Some(true),
        revision: Some(i64::try_from(at).unwrap_or(i64::MAX)),
        source: Source::Owner.into(),
        ..v1::AnswerInfo::default()
    })
}
