//! The body of an answer, with what its call holds: its place is free when the last frame has gone, and a panic in it is an error at its
//! end, not a connection lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;
use tonic::body::Body;

use super::counters::{Counters, count};
use super::gate::said;
use super::methods::Kind;
use super::seen::Seen;
use crate::ApiError;

/// What a call holds until its answer has gone.
#[derive(Debug)]
pub(super) struct Held {
    _place: Option<OwnedSemaphorePermit>,
    is_stream: bool,
    counters: Arc<Counters>,
    seen: Seen,
}

impl Held {
    pub(super) fn new(
        place: Option<OwnedSemaphorePermit>,
        kind: Kind,
        counters: Arc<Counters>,
        seen: Seen,
    ) -> Self {
        let is_stream = kind == Kind::Stream;
        if is_stream {
            count(&counters.streams_open);
        }
        Self { _place: place, is_stream, counters, seen }
    }
}

impl Held {
    /// The call ends here, with this answer.
    pub(super) fn refused(mut self, response: Response<Body>) -> Response<Body> {
        self.hear(response.headers());
        response
    }

    /// Headers or trailers that may say how the call ended.
    fn hear(&mut self, headers: &HeaderMap) {
        self.seen.hear(headers);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_stream {
            self.counters.streams_open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A body that holds its call's place.
#[derive(Debug)]
pub(super) struct Guarded {
    body: Body,
    held: Held,
    panicked: bool,
}

impl Guarded {
    pub(super) fn wrap(response: Response<Body>, mut held: Held) -> Response<Body> {
        held.hear(response.headers());
        response.map(|body| Body::new(Self { body, held, panicked: false }))
    }

    /// The end of a stream whose handler panicked.
    fn trailers(&self, panic: &(dyn std::any::Any + Send)) -> Frame<Bytes> {
        count(&self.held.counters.panics);
        let status = Status::from(ApiError::Bug(format!("a stream panicked: {}", said(panic))));
        let mut trailers = HeaderMap::new();
        if let Err(unwritable) = status.add_header(&mut trailers) {
            tracing::error!(status = %unwritable, "a status that is no header");
        }
        Frame::trailers(trailers)
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.panicked {
            return Poll::Ready(None);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.body).poll_frame(cx)));
        let polled = polled.unwrap_or_else(|panic| {
            self.panicked = true;
            Poll::Ready(Some(Ok(self.trailers(panic.as_ref()))))
        });
        let seen = &mut self.held.seen;
        match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.trailers_ref().into_iter().for_each(|sent| seen.hear(sent)),
            Poll::Ready(Some(Err(status))) => seen.ends(status.code()),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.panicked || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
