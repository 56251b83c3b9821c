//! Publishes events over one StreamEvents call after the other: a constant window of batches under way, and what was not acknowledged when
//! a call broke off is sent again with the same ids. Both `souk generate` and `souk ingest` publish through it.

pub(crate) mod counts;
pub(crate) mod limits;
mod link;
mod window;

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use souk_proto::v1::stream_frame::Kind;
use souk_proto::v1::{AckLevel, StreamEventsResponse};
use tokio::time::sleep;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use self::limits::{AGAIN_FIRST, AGAIN_LONGEST, ATTEMPTS, IN_FLIGHT};
use self::link::Link;
use self::window::Window;
use crate::cli::exit::Failure;
use crate::client::Client;

/// Told every answer with the cargo of its batch, in the order the batches were sent.
pub(crate) trait Listener<C> {
    fn answered(&mut self, cargo: C, answer: StreamEventsResponse) -> Result<(), Failure>;
}

/// Sends batches of encoded events. Each has a cargo: what its sender wants to know it by when it is answered.
#[derive(Debug)]
pub(crate) struct Publisher<C, L> {
    client: Client,
    window: Window<C>,
    link: Option<Link>,
    listener: L,
    /// Attempts since the last answer.
    attempts: u32,
    sent_again: u64,
}

impl<C, L: Listener<C>> Publisher<C, L> {
    pub(crate) fn new(client: Client, ack: AckLevel, listener: L) -> Self {
        let window = Window::new(IN_FLIGHT, ack.into());
        Self { client, window, link: None, listener, attempts: 0, sent_again: 0 }
    }

    pub(crate) fn listener(&mut self) -> &mut L {
        &mut self.listener
    }

    /// Sends a batch, of at most [`limits::BATCH_EVENTS`] and [`limits::BATCH_BYTES`]. Waits while the window is full.
    pub(crate) async fn send(&mut self, events: Vec<Bytes>, cargo: C) -> Result<(), Failure> {
        while self.window.is_full() {
            self.one_answer().await?;
        }
        // Answers that are there already; their cargo need not wait for the window to fill.
        while self.link.is_some()
            && !self.window.is_empty()
            && let Some(done) = self.one_answer().now_or_never()
        {
            done?;
        }
        let request = self.window.push(events, cargo);
        match &self.link {
            Some(link) => link.send(request).await,
            None => self.begin().await?,
        }
        Ok(())
    }

    /// Waits until everything was answered. Says how many events were sent more than once.
    pub(crate) async fn finish(&mut self) -> Result<u64, Failure> {
        while !self.window.is_empty() {
            self.one_answer().await?;
        }
        Ok(self.sent_again)
    }

    /// Takes one answer, over a new stream where the old one is gone.
    async fn one_answer(&mut self) -> Result<(), Failure> {
        let Some(link) = &mut self.link else { return self.begin().await };
        match link.answer().await {
            Ok(Some(answer)) => self.take(answer).await,
            Ok(None) => self.broke(&Status::unavailable("the stream ended"), None).await,
            Err(status) => self.broke(&status, None).await,
        }
    }

    async fn take(&mut self, answer: StreamEventsResponse) -> Result<(), Failure> {
        let frame = answer.frame.as_ref();
        match frame.map(|frame| frame.kind()) {
            Some(Kind::Delta) => {
                self.attempts = 0;
                let cargo = self.window.acknowledge(answer.seq).ok_or_else(|| {
                    let seq = answer.seq;
                    Failure::from(anyhow::anyhow!("the node answered batch {seq}, which is not the next one"))
                })?;
                self.listener.answered(cargo, answer)
            }
            Some(Kind::GoAway) => {
                let pause = frame.and_then(|frame| frame.retry_after).and_then(|pause| pause.try_into().ok());
                self.broke(&Status::unavailable("the node goes away"), pause).await
            }
            _ => Ok(()),
        }
    }

    /// Waits, then goes on over a new stream; or fails, where that is of no use.
    async fn broke(&mut self, status: &Status, pause: Option<Duration>) -> Result<(), Failure> {
        self.link = None;
        if !is_worth_another(status) || self.attempts >= ATTEMPTS {
            return Err(self.client.failure(status));
        }
        let told = status.get_details_retry_info().and_then(|info| info.retry_delay);
        let pause = pause.or(told).unwrap_or_else(|| back_off(self.attempts));
        if self.attempts == 0 {
            eprintln!("{}: {}; going on where it stopped", self.client.address(), status.message());
        }
        self.attempts += 1;
        sleep(pause).await;
        Ok(())
    }

    /// Begins a stream, and sends everything again that was not acknowledged. One that cannot be begun is tried again later.
    async fn begin(&mut self) -> Result<(), Failure> {
        let link = match Link::begin(&self.client, IN_FLIGHT).await {
            Ok(link) => link,
            Err(status) => return self.broke(&status, None).await,
        };
        for request in self.window.again() {
            if self.attempts > 0 {
                self.sent_again += request.events.len() as u64;
            }
            link.send(request).await;
        }
        self.link = Some(link);
        Ok(())
    }
}

/// Whether a stream that ended like this is begun again: the node is away or full, a connection broke, or nobody knows what became of
/// an append, and the same ids settle it.
fn is_worth_another(status: &Status) -> bool {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted => true,
        Code::Unknown | Code::Cancelled | Code::Internal => reason.is_empty() || reason == "OUTCOME_UNKNOWN",
        _ => reason == "OUTCOME_UNKNOWN",
    }
}

/// Doubles from the first pause to the longest.
fn back_off(attempts: u32) -> Duration {
    AGAIN_FIRST.saturating_mul(1 << attempts.min(10)).min(AGAIN_LONGEST)
}
