//! What is asked of one node, and followed there: over one connection of its own, so that no batch of tallies stands before a question.
//!
//! The connection is made by whoever needs it first; all others wait for the same attempt. It is made anew once it broke.

use std::sync::Arc;

use souk_proto::internal::v1::{AskRequest, AskResponse, FollowRequest, FollowResponse, ask_request};
use souk_runtime::ports::{News, Unreachable};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tonic::{Code, Request, Status, Streaming};

use super::connection::{Client, Target};
use crate::limits::{ASK_MARGIN, ASKS, FOLLOWS, OPEN_TIMEOUT};

#[derive(Debug)]
pub(super) struct Questions {
    target: Target,
    way: Mutex<Way>,
    asks: Semaphore,
    follows: Arc<Semaphore>,
}

#[derive(Debug)]
enum Way {
    Closed,
    /// Failed then: whoever began to wait before has its answer.
    Failed(Instant),
    Open {
        client: Client,
        number: u64,
    },
}

impl Questions {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            way: Mutex::new(Way::Closed),
            asks: Semaphore::new(ASKS),
            follows: Arc::new(Semaphore::new(FOLLOWS)),
        }
    }

    /// Whether something is asked or followed right now.
    pub(super) fn are_open(&self) -> bool {
        self.asks.available_permits() < ASKS || self.follows.available_permits() < FOLLOWS
    }

    pub(super) async fn ask(
        &self,
        question: ask_request::Question,
        deadline: Instant,
    ) -> Result<AskResponse, Unreachable> {
        let _room = self.asks.try_acquire().map_err(|_| Unreachable)?;
        let asking = async {
            let (mut client, number) = self.client().await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let patience = left.saturating_sub(ASK_MARGIN).max(left / 2);
            let patience_ms = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
            let mut request = Request::new(AskRequest { patience_ms, question: Some(question) });
            request.set_timeout(left);
            match client.ask(request).await {
                Ok(answer) => Ok(answer.into_inner()),
                Err(status) => Err(self.failed(&status, number).await),
            }
        };
        timeout_at(deadline, asking).await.unwrap_or(Err(Unreachable))
    }

    pub(super) async fn follow(&self, request: FollowRequest) -> Result<News, Unreachable> {
        let room = self.follows.clone().try_acquire_owned().map_err(|_| Unreachable)?;
        let beginning = async {
            let (mut client, number) = self.client().await?;
            match client.follow(request).await {
                Ok(response) => Ok(response.into_inner()),
                Err(status) => Err(self.failed(&status, number).await),
            }
        };
        let stream = timeout(OPEN_TIMEOUT, beginning).await.unwrap_or(Err(Unreachable))?;
        let (news, reader) = mpsc::channel(1);
        tokio::spawn(pass_on(stream, news, room));
        Ok(reader)
    }

    /// The connection, and which one it is.
    async fn client(&self) -> Result<(Client, u64), Unreachable> {
        let came = Instant::now();
        let mut way = self.way.lock().await;
        match &*way {
            Way::Open { client, number } => return Ok((client.clone(), *number)),
            Way::Failed(at) if *at >= came => return Err(Unreachable),
            Way::Failed(_) | Way::Closed => {}
        }
        match self.target.connect().await {
            Ok(client) => {
                let number = rand::random();
                *way = Way::Open { client: client.clone(), number };
                Ok((client, number))
            }
            Err(unreachable) => {
                *way = Way::Failed(Instant::now());
                Err(unreachable)
            }
        }
    }

    /// A call failed: unless it was for what the node itself said, so did its connection.
    async fn failed(&self, status: &Status, number: u64) -> Unreachable {
        tracing::debug!(node = &*self.target.address, %status, "a node does not answer");
        if !matches!(status.code(), Code::ResourceExhausted | Code::NotFound | Code::DeadlineExceeded) {
            let mut way = self.way.lock().await;
            if matches!(&*way, Way::Open { number: newest, .. } if *newest == number) {
                *way = Way::Closed;
            }
        }
        Unreachable
    }
}

/// Takes news as they come, and merges them for a reader who is slower.
async fn pass_on(mut stream: Streaming<FollowResponse>, news: mpsc::Sender<()>, _room: OwnedSemaphorePermit) {
    loop {
        let came = tokio::select! {
            () = news.closed() => return,
            came = stream.message() => came,
        };
        if !matches!(came, Ok(Some(_))) {
            return;
        }
        if let Err(mpsc::error::TrySendError::Closed(())) = news.try_send(()) {
            return;
        }
    }
}
