//! The gate every call passes: room for it, a deadline, and an answer even when its handler panics.
//!
//! What is over a limit is turned away before its message is read. Statuses that tonic makes itself leave here as ours.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use souk_model::verdict::Reason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tracing::{Instrument as _, Span};

use super::counters::{Counters, count};
use super::guarded::{Guarded, Held};
use super::methods::{Kind, Methods, Place};
use super::options::Options;
use super::seen::{Seen, Spans};
use crate::call::{Deadline, timeout};
use crate::limits::{DEADLINE_SLACK, MOST_UNARY_DEADLINE};
use crate::{ApiError, status};

/// Cheap to clone: every connection has its own.
#[derive(Debug, Clone)]
pub(super) struct Gate<S> {
    services: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    methods: Arc<Methods>,
    timed: bool,
    spans: Option<Arc<dyn Spans>>,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    unary_deadline: Duration,
    drain: CancellationToken,
    counters: Arc<Counters>,
}

impl<S> Gate<S> {
    pub(super) fn new(
        services: S,
        options: &Options,
        drain: CancellationToken,
        counters: &Arc<Counters>,
        methods: &Arc<Methods>,
        spans: Option<Arc<dyn Spans>>,
    ) -> Self {
        let shared = Shared {
            methods: methods.clone(),
            timed: options.timed,
            spans,
            calls: Arc::new(Semaphore::new(options.calls)),
            streams: Arc::new(Semaphore::new(options.streams)),
            unary_deadline: options.unary_deadline,
            drain,
            counters: counters.clone(),
        };
        Self { services, shared: Arc::new(shared) }
    }
}

impl Shared {
    /// A place for the call, or why there is none.
    fn admit(&self, kind: Kind) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        if kind == Kind::Control {
            return Ok(None);
        }
        if self.drain.is_cancelled() {
            return Err(souk_runtime::Error::Draining.into());
        }
        let (room, reason, message) = match kind {
            Kind::Stream => (&self.streams, Reason::TooManyStreams, "as many streams are open as may be"),
            _ => (&self.calls, Reason::Overloaded, "as many calls are under way as may be"),
        };
        let place = room.clone().try_acquire_owned().map_err(|_| {
            count(&self.counters.shed);
            ApiError::refused(reason, message)
        })?;
        count(if kind == Kind::Stream { &self.counters.streams } else { &self.counters.calls });
        Ok(Some(place))
    }

    /// Begins to time and trace a call.
    fn see(&self, method: Place, headers: &http::HeaderMap) -> Seen {
        let spans = self.spans.as_ref();
        let span = spans.map_or_else(Span::none, |spans| spans.span(self.methods.name(method), headers));
        Seen::begin(self.methods.clone(), method, self.timed, span)
    }

    /// Until when the call may take: as its caller says, within bounds; a stream as long as it likes.
    fn deadline(&self, kind: Kind, headers: &http::HeaderMap) -> Option<Instant> {
        let asked = timeout(headers);
        let wait = match kind {
            Kind::Unary => Some(asked.unwrap_or(self.unary_deadline).min(MOST_UNARY_DEADLINE)),
            Kind::Stream | Kind::Control => None,
        };
        wait.map(|wait| Instant::now() + wait)
    }
}

impl<S> tower::Service<Request<Body>> for Gate<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        self.services.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let shared = self.shared.clone();
        let path = request.uri().path();
        let method = shared.methods.place(path);
        let kind = shared.methods.kind(method, path);
        let seen = shared.see(method, request.headers());
        let span = seen.span();
        let held = |place| Held::new(place, kind, shared.counters.clone(), seen);
        let held = match shared.admit(kind) {
            Ok(place) => held(place),
            Err(error) => {
                let refused = held(None).refused(refusal(error));
                return futures_util::future::ready(Ok(refused)).boxed();
            }
        };
        let deadline = shared.deadline(kind, request.headers());
        request.extensions_mut().insert(Deadline(deadline));
        let answer = span.in_scope(|| self.services.call(request)).instrument(span);
        async move {
            let answer = AssertUnwindSafe(answer).catch_unwind();
            let answered = match deadline {
                Some(at) => tokio::time::timeout_at(at + DEADLINE_SLACK, answer).await,
                None => Ok(answer.await),
            };
            Ok(match answered {
                Ok(Ok(Ok(response))) => Guarded::wrap(adopted(response), held),
                Ok(Ok(Err(never))) => match never {},
                Ok(Err(panic)) => {
                    count(&shared.counters.panics);
                    held.refused(refusal(ApiError::Bug(format!(
                        "a handler panicked: {}",
                        said(panic.as_ref())
                    ))))
                }
                Err(_elapsed) => held.refused(refusal(ApiError::refused(
                    Reason::DeadlinePassed,
                    "the call was not done by its deadline; what it was to write may have been written",
                ))),
            })
        }
        .boxed()
    }
}

/// What a panic said.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

fn refusal(error: ApiError) -> Response<Body> {
    Status::from(error).into_http()
}

/// A response that is an error of tonic's own making, as one of ours.
fn adopted(response: Response<Body>) -> Response<Body> {
    let failed = response.headers().get(Status::GRPC_STATUS).is_some_and(|code| code != "0");
    if !failed {
        return response;
    }
    match Status::from_header_map(response.headers()) {
        Some(theirs) if theirs.details().is_empty() => status::adopt(theirs).into_http(),
        _ => response,
    }
}

#[cfg(test)]
mod tests;
