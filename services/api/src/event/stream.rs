//! StreamEvents: batches as they come, several under way, answered in order.
//!
//! Each batch is started when it is read and keeps its place in the stream's order, so that batches reach the journal as they were
//! sent. When intake has no room the stream reads no further and tries the batch again: the sender feels it as flow control, not as
//! an error. When the node leaves, what is under way is still answered, then come GO_AWAY and the end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, Stream, StreamExt as _, unfold};
use souk_proto::grpc::raw;
use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;
use souk_runtime::Error;
use souk_runtime::intake::{Order, Publication, Published};
use tokio::time::{Instant, sleep_until};
use tonic::{Status, Streaming};

use super::level;
use super::verdicts::{Counted, verdicts};
use crate::error::Checks;
use crate::limits::{BATCHES_IN_FLIGHT, BOOKMARK_EVERY, DRAIN_ANSWERS, RETRY_AFTER, SHED_PATIENCE};
use crate::{ApiError, Call, Context, status};

/// What the caller gets.
pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<v1::StreamEventsResponse, Status>> + Send>>;

pub(super) fn answers(
    context: Context,
    call: Call,
    requests: Streaming<raw::StreamEventsRequest>,
) -> Answers {
    let batches = Batches {
        context,
        call,
        requests,
        order: Order::default(),
        under_way: FuturesOrdered::new(),
        waiting: None,
        last_seq: None,
        endings: VecDeque::new(),
        leaves: None,
    };
    Box::pin(unfold(batches, |mut batches| async move {
        let answer = batches.next().await?;
        Some((answer, batches))
    }))
}

/// A batch that was published, or was not.
type Became = (i64, Result<Published, Error>);

/// One stream.
struct Batches {
    context: Context,
    call: Call,
    requests: Streaming<raw::StreamEventsRequest>,
    order: Order,
    /// At most [`BATCHES_IN_FLIGHT`], in the order they were sent.
    under_way: FuturesOrdered<BoxFuture<'static, Became>>,
    /// A batch intake had no room for. While there is one nothing is read.
    waiting: Option<Waiting>,
    last_seq: Option<i64>,
    /// What comes when nothing is under way any more. Once there is any, nothing is read.
    endings: VecDeque<Ending>,
    /// Until when a leaving node waits for what is under way.
    leaves: Option<Instant>,
}

struct Waiting {
    seq: i64,
    batch: Publication,
    /// When it is tried again, and since when it has waited.
    again: Instant,
    since: Instant,
}

enum Ending {
    GoAway,
    Failed(Status),
    /// The caller has sent everything.
    Done,
}

/// What happens next on a stream.
enum News {
    Leaving,
    Answered(Became),
    Batch(Result<Option<raw::StreamEventsRequest>, Status>),
    TryAgain,
    Silence,
    /// What is under way takes longer than a leaving node waits.
    Abandoned,
}

impl Batches {
    /// The next frame; none at the end of a stream that went well.
    async fn next(&mut self) -> Option<Result<v1::StreamEventsResponse, Status>> {
        let silence = Instant::now() + BOOKMARK_EVERY;
        loop {
            if self.under_way.is_empty() && self.waiting.is_none() {
                match self.endings.pop_front() {
                    Some(Ending::GoAway) => return Some(Ok(frame(Kind::GoAway))),
                    Some(Ending::Failed(status)) => return Some(Err(status)),
                    Some(Ending::Done) => return None,
                    None => {}
                }
            }
            match self.news(silence).await {
                News::Answered((seq, Ok(published))) => return Some(Ok(answer(seq, published))),
                News::Answered((_, Err(error))) => return Some(Err(self.fail(error.into()))),
                News::Batch(Ok(Some(batch))) => {
                    if let Err(error) = self.take(batch) {
                        self.endings.extend([Ending::Failed(error.into()), Ending::Done]);
                    }
                }
                News::Batch(Ok(None)) => self.endings.push_back(Ending::Done),
                News::Batch(Err(broken)) => {
                    self.endings.extend([Ending::Failed(status::adopt(broken)), Ending::Done]);
                }
                News::Leaving => self.leave(),
                News::TryAgain => {
                    if let Some(waiting) = self.waiting.take()
                        && let Err(error) = self.start(waiting.seq, waiting.batch, waiting.since)
                    {
                        return Some(Err(self.fail(error)));
                    }
                }
                News::Silence => return Some(Ok(frame(Kind::Bookmark))),
                News::Abandoned => self.under_way.clear(),
            }
        }
    }

    async fn news(&mut self, silence: Instant) -> News {
        let is_open = self.endings.is_empty();
        let reads = is_open && self.waiting.is_none() && self.under_way.len() < BATCHES_IN_FLIGHT;
        let again = self.waiting.as_ref().map_or(silence, |waiting| waiting.again);
        tokio::select! {
            biased;
            () = self.context.drain.cancelled(), if is_open => News::Leaving,
            Some(became) = self.under_way.next(), if !self.under_way.is_empty() => News::Answered(became),
            batch = self.requests.message(), if reads => News::Batch(batch),
            () = sleep_until(again), if self.waiting.is_some() => News::TryAgain,
            () = sleep_until(self.leaves.unwrap_or(silence)), if self.leaves.is_some() => News::Abandoned,
            () = sleep_until(silence) => News::Silence,
        }
    }

    /// Checks a batch and starts it.
    fn take(&mut self, request: raw::StreamEventsRequest) -> Result<(), ApiError> {
        let raw::StreamEventsRequest { seq, events, ack } = request;
        let mut checks = Checks::default();
        if let Some(last) = self.last_seq.filter(|last| seq <= *last) {
            let least = last.saturating_add(1);
            checks.take::<()>(Err(ApiError::out_of_range("seq", seq, least, i64::MAX)));
        }
        let level = level(events.len(), ack, &mut checks);
        checks.done()?;
        self.last_seq = Some(seq);
        let batch = Publication {
            events,
            shop: self.call.shop.clone(),
            level,
            order: self.order.clone(),
            with_ids: false,
        };
        self.start(seq, batch, Instant::now())
    }

    /// Starts a batch: intake sees it now, before any that is read later. Its events are shared with the copy, not copied.
    fn start(&mut self, seq: i64, batch: Publication, since: Instant) -> Result<(), ApiError> {
        let (runtime, copy) = (self.context.runtime.clone(), batch.clone());
        let mut publishing = async move { (seq, runtime.publish(copy, None).await) }.boxed();
        match (&mut publishing).now_or_never() {
            None => self.under_way.push_back(publishing),
            Some((_, Err(Error::Overloaded { retry_after }))) => {
                let again = Instant::now() + retry_after.max(RETRY_STEP);
                if again > since + SHED_PATIENCE {
                    return Err(Error::Overloaded { retry_after }.into());
                }
                self.waiting = Some(Waiting { seq, batch, again, since });
            }
            Some(became) => self.under_way.push_back(futures_util::future::ready(became).boxed()),
        }
        Ok(())
    }

    /// The node leaves: nothing more is read; what waits for room was never in the journal.
    fn leave(&mut self) {
        self.waiting = None;
        self.leaves = Some(Instant::now() + DRAIN_ANSWERS);
        let draining = ApiError::from(Error::Draining);
        self.endings.extend([Ending::GoAway, Ending::Failed(draining.into()), Ending::Done]);
    }

    /// The stream ends here: what was not answered is sent again.
    fn fail(&mut self, error: ApiError) -> Status {
        self.under_way.clear();
        self.waiting = None;
        self.endings.clear();
        self.endings.push_back(Ending::Done);
        error.into()
    }
}

/// Between two tries for room, at the least.
const RETRY_STEP: Duration = Duration::from_millis(10);

fn answer(seq: i64, published: Published) -> v1::StreamEventsResponse {
    let Published { outcomes, position } = published;
    v1::StreamEventsResponse {
        seq,
        counts: Some(Counted::of(&outcomes).into()),
        problems: verdicts(outcomes, false),
        position: position.to_string(),
        ..frame(Kind::Delta)
    }
}

/// A frame of the stream's own. Its token is empty: what was not answered is sent again.
fn frame(kind: Kind) -> v1::StreamEventsResponse {
    let retry_after = (kind == Kind::GoAway).then(|| prost_types::Duration {
        seconds: 0,
        nanos: i32::try_from(RETRY_AFTER.subsec_nanos()).unwrap_or_default(),
    });
    let frame = v1::StreamFrame { kind: kind.into(), retry_after, ..v1::StreamFrame::default() };
    v1::StreamEventsResponse { frame: Some(frame), ..v1::StreamEventsResponse::default() }
}
