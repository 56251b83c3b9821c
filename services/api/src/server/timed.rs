//! One call, timed from when it came in to when the last of its answer has gone; nobody waits for it any more: CANCELLED.

use std::sync::Arc;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::methods::{Methods, Place};

/// Counts the call when it is dropped.
#[derive(Debug)]
pub(super) struct Timed {
    methods: Arc<Methods>,
    place: Place,
    came_in: Instant,
    code: Code,
}

impl Timed {
    pub(super) fn begin(methods: Arc<Methods>, place: Place) -> Self {
        Self { methods, place, came_in: Instant::now(), code: Code::Cancelled }
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

impl Drop for Timed {
    fn drop(&mut self) {
        self.methods.ended(self.place, self.code, self.came_in.elapsed());
    }
}
