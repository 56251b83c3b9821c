//! The writer of one stream: takes what is new when its reader can take it, says that it lives when nothing is, and goodbye when the node
//! leaves.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use souk_proto::grpc::encoded::Encoded;
use souk_proto::v1::stream_frame::Kind;
use souk_runtime::Error;
use souk_runtime::watch::{Subscription, Update, Updates, WatchStanding};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::frame::{Framer, Head, Mark};
use super::options::Options;
use super::token::Binding;
use crate::ApiError;
use crate::limits::STREAM_FRAMES;

/// What tonic sends.
pub(crate) type Frames = ReceiverStream<Result<Encoded, Status>>;

/// What a stream is written from: a subscription.
pub(crate) trait Source: Send + 'static {
    /// What is new: waits until something is. Loses nothing when it is dropped before it answers.
    fn next(&mut self) -> impl Future<Output = Updates> + Send;

    fn standing(&self) -> WatchStanding;
}

impl Source for Subscription {
    async fn next(&mut self) -> Updates {
        Self::next(self).await
    }

    fn standing(&self) -> WatchStanding {
        Self::standing(self)
    }
}

/// Events of a log, read beside the state: bodies of responses, and the offset to go on from after each.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub bodies: Vec<(Bytes, u64)>,
    /// Where to go on after all of them.
    pub next: u64,
}

/// Where events come from; an error ends the stream.
pub(crate) type EventsFrom = mpsc::Receiver<Result<Events, ApiError>>;

/// Starts writing a stream. Its task ends with the node's leave, or soon after its reader is gone.
pub(crate) fn write<M: Message + 'static>(
    head: Head<M>,
    binding: Binding,
    options: &Options,
    source: impl Source,
    events: Option<(u64, EventsFrom)>,
    drain: CancellationToken,
) -> Frames {
    let (out, frames) = mpsc::channel(STREAM_FRAMES);
    let (from, events) = events.unzip();
    let writer = Writer {
        framer: Framer::new(head, binding, from),
        min_interval: options.min_interval,
        bookmark_interval: options.bookmark_interval,
        events,
        out,
    };
    tokio::spawn(writer.run(source, drain));
    ReceiverStream::new(frames)
}

#[derive(Debug)]
struct Writer<M> {
    framer: Framer<M>,
    min_interval: Duration,
    bookmark_interval: Duration,
    events: Option<EventsFrom>,
    out: mpsc::Sender<Result<Encoded, Status>>,
}

/// Nothing more is to be sent: the reader is gone, or was told goodbye.
struct Over;

impl<M: Message> Writer<M> {
    async fn run(mut self, mut source: impl Source, drain: CancellationToken) {
        // Ends one way or the other; nobody is left to be told which.
        let _over = self.frames(&mut source, &drain).await;
    }

    async fn frames(&mut self, source: &mut impl Source, drain: &CancellationToken) -> Result<(), Over> {
        let mut quiet_since = Instant::now();
        let mut rows_again = quiet_since;
        let out = self.out.clone();
        loop {
            let bookmark_at = quiet_since + self.bookmark_interval;
            tokio::select! {
                () = out.closed() => return Err(Over),
                () = drain.cancelled() => return self.leave(source.standing()).await,
                events = next_events(&mut self.events) => {
                    if !self.send_events(events, source.standing()).await? {
                        continue;
                    }
                }
                updates = rows_from(source, rows_again) => {
                    self.send_updates(updates).await?;
                    rows_again = Instant::now() + self.min_interval;
                }
                () = sleep_until(bookmark_at) => {
                    let mark = self.framer.mark(source.standing());
                    let frame = self.framer.bookmark(&mark);
                    self.send(frame).await?;
                }
            }
            quiet_since = Instant::now();
        }
    }

    async fn send_updates(&mut self, updates: Updates) -> Result<(), Over> {
        let Updates { updates, standing } = updates;
        let mark = self.framer.mark(standing);
        for update in updates {
            let last = update == Update::GoAway;
            let frame = self.framer.update(update, &mark);
            self.send(frame).await?;
            if last {
                return self.say_draining().await;
            }
        }
        Ok(())
    }

    /// Whether there was any to send.
    async fn send_events(
        &mut self,
        events: Result<Events, ApiError>,
        standing: WatchStanding,
    ) -> Result<bool, Over> {
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                let _gone = self.out.send(Err(error.into())).await;
                return Err(Over);
            }
        };
        let any = !events.bodies.is_empty();
        for (body, next) in events.bodies {
            self.framer.events = Some(next);
            let mark = self.framer.mark(standing.clone());
            let frame = self.framer.row(Kind::Delta, 0, body, &mark);
            self.send(frame).await?;
        }
        self.framer.events = Some(events.next);
        Ok(any)
    }

    async fn leave(&mut self, standing: WatchStanding) -> Result<(), Over> {
        let mark: Mark = self.framer.mark(standing);
        let frame = self.framer.go_away(&mark);
        self.send(frame).await?;
        self.say_draining().await
    }

    /// The end of every stream that was not its reader's wish.
    async fn say_draining(&self) -> Result<(), Over> {
        let _gone = self.out.send(Err(ApiError::Runtime(Error::Draining).into())).await;
        Err(Over)
    }

    async fn send(&self, frame: Encoded) -> Result<(), Over> {
        self.out.send(Ok(frame)).await.map_err(|_| Over)
    }
}

/// What is new of the rows, but not before `at`: until then changes are merged where they are kept.
async fn rows_from(source: &mut impl Source, at: Instant) -> Updates {
    if Instant::now() < at {
        sleep_until(at).await;
    }
    source.next().await
}

/// What is new of the log; for ever nothing where none is read, or when it was read to its end.
async fn next_events(events: &mut Option<EventsFrom>) -> Result<Events, ApiError> {
    match events {
        Some(events) => match events.recv().await {
            Some(events) => events,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
