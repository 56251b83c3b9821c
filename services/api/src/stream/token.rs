//! Resume tokens: where a reader stands, bound to the method, its arguments and the shop, and to the journal it read.

use prost::Message;
use souk_model::verdict::Reason;
use souk_runtime::watch::{Start, WatchStanding};

use crate::limits::RESUME_TOKEN_BYTES;
use crate::{ApiError, token};

/// What a token holds.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Resumed {
    /// Identity of the journal: what another one says is no continuation.
    #[prost(fixed64, tag = "1")]
    pub topic: u64,
    /// The revision seen of each watched query.
    #[prost(uint64, repeated, tag = "2")]
    pub revisions: Vec<u64>,
    /// Offset of the next record to look for events in, where every event is sent.
    #[prost(uint64, optional, tag = "3")]
    pub events: Option<u64>,
}

/// What a stream's tokens are bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding {
    arguments: u64,
    topic: u64,
}

impl Binding {
    /// `arguments` is the request without its `watch`; `topic` names the journal.
    pub(crate) fn of(method: &str, shop: &str, arguments: &impl Message, topic: u64) -> Self {
        Self { arguments: token::binding(&format!("{method} {shop}"), arguments), topic }
    }

    pub(crate) fn seal(&self, standing: &WatchStanding, events: Option<u64>) -> String {
        let resumed = Resumed { topic: self.topic, revisions: standing.revisions.clone(), events };
        token::seal(self.arguments, &resumed.encode_to_vec())
    }

    /// Reads a token of a stream with so many queries, of a journal that allows no revisions but those `is_reached` knows.
    pub(crate) fn open(
        &self,
        text: &str,
        queries: usize,
        is_reached: impl Fn(&Resumed) -> bool,
    ) -> Result<Resumed, ApiError> {
        let content = token::open(text, self.arguments, RESUME_TOKEN_BYTES).ok_or_else(mismatch)?;
        let resumed = Resumed::decode(content.as_slice()).map_err(|_| mismatch())?;
        if resumed.revisions.len() != queries {
            return Err(mismatch());
        }
        if resumed.topic != self.topic || !is_reached(&resumed) {
            return Err(expired());
        }
        Ok(resumed)
    }
}

impl Resumed {
    /// Where a stream starts: a token says it, else its options.
    pub(crate) fn start(resumed: Option<&Self>, from_now: bool) -> Start {
        match resumed {
            Some(resumed) => Start::Resume(resumed.revisions.clone()),
            None if from_now => Start::Now,
            None => Start::Snapshot,
        }
    }
}

fn mismatch() -> ApiError {
    let message = "belongs to another method or other arguments; watch without one";
    ApiError::field(Reason::ResumeTokenMismatch, "watch.resume_token", message)
}

pub(crate) fn expired() -> ApiError {
    let message = "continues from what this journal does not hold; watch without one";
    ApiError::field(Reason::ResumeTokenExpired, "watch.resume_token", message)
}
