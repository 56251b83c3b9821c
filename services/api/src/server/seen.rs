//! One call as it is seen from outside: timed, and traced where somebody traces, from when it came in to when the last of its answer has
//! gone. Where nobody waits for that any more it was CANCELLED.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Code, Status};
use tracing::Span;

use super::methods::{Methods, Place};

/// Makes the span of a call, which goes on in the trace its caller names. Where its field `rpc.response.status_code` is empty it is
/// filled in at the end.
pub trait Spans: fmt::Debug + Send + Sync {
    fn span(&self, method: &str, headers: &HeaderMap) -> Span;
}

/// Counts the call when it is dropped.
#[derive(Debug)]
pub(super) struct Seen {
    methods: Arc<Methods>,
    place: Place,
    /// None: it is not timed.
    came_in: Option<Instant>,
    span: Span,
    code: Code,
}

impl Seen {
    pub(super) fn begin(methods: Arc<Methods>, place: Place, is_timed: bool, span: Span) -> Self {
        Self { methods, place, came_in: is_timed.then(Instant::now), span, code: Code::Cancelled }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(super) fn ends(&mut self, code: Code) {
        self.code = code;
    }

    /// Headers or trailers that may say how the call ended.
    pub(super) fn hear(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Code::from_bytes(code.as_bytes());
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if let Some(came_in) = self.came_in {
            self.methods.ended(self.place, self.code, came_in.elapsed());
        }
        self.span.record("rpc.response.status_code", Methods::code(self.code));
    }
}
