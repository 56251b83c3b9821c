//! The arms of the comparison: each does one kind of call for a slice of time and says how fast it went and what it cost the server.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use prost::Message;
use souk_proto::v1;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

use super::{AHEAD, Options, USERS};
use crate::command::population;
use crate::measure::cpu::Usage;
use crate::souk::client::{self, Analytics, Users};
use crate::souk::echo::{EchoClient, EchoRequest};

/// One thing done over and over, and what it cost the process that did it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    pub(super) per_second: f64,
    /// Microseconds of the server's processors for each.
    pub(super) cost: f64,
}

/// One caller of one kind of call.
trait Caller: Send + 'static {
    /// The `n`-th call of the arm.
    fn call(&mut self, n: u64) -> impl Future<Output = Result<(), Status>> + Send;
}

struct Echo(EchoClient, EchoRequest);

impl Caller for Echo {
    async fn call(&mut self, _: u64) -> Result<(), Status> {
        self.0.echo(self.1.clone()).await.map(|_| ())
    }
}

struct Session(Users);

impl Caller for Session {
    async fn call(&mut self, n: u64) -> Result<(), Status> {
        self.0.get_session(session_request(n % USERS)).await.map(|_| ())
    }
}

/// With how many products there are.
struct Query(Analytics, u64);

impl Caller for Query {
    async fn call(&mut self, n: u64) -> Result<(), Status> {
        self.0.query_metric(query_request(n % self.1)).await.map(|_| ())
    }
}

#[derive(Debug)]
pub(super) struct Arms {
    pub(super) souk: Vec<Channel>,
    pub(super) echo: Vec<Channel>,
    /// Of souk and of the echo.
    pub(super) pids: (u32, u32),
    pub(super) options: Options,
    pub(super) slice: Duration,
}

/// Bytes of a request and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) request: usize,
    pub(super) answer: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) session: Size,
    pub(super) query: Size,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) session: Pace,
    pub(super) session_echo: Pace,
    pub(super) query: Pace,
    pub(super) query_echo: Pace,
    pub(super) batched: Pace,
}

impl Arms {
    /// How large the messages compared with are.
    pub(super) async fn sizes(&self, products: usize) -> Result<Sizes> {
        let request = session_request(1);
        let answer = client::users(self.souk[0].clone()).get_session(request.clone()).await?.into_inner();
        ensure!(answer.session.is_some(), "a user just touched has a session");
        let session = Size { request: request.encoded_len(), answer: answer.encoded_len() };
        let request = query_request(products as u64 / 2);
        let answer =
            client::analytics(self.souk[0].clone()).query_metric(request.clone()).await?.into_inner();
        ensure!(answer.rows.len() == 1, "a live product has a row, not {}", answer.rows.len());
        Ok(Sizes { session, query: Size { request: request.encoded_len(), answer: answer.encoded_len() } })
    }

    /// Every arm twice, the other way around the second time.
    pub(super) async fn round(&self, sizes: Sizes, products: u64) -> Result<Round> {
        let session_echo = self.echo(sizes.session).await?;
        let session = self.session().await?;
        let again = (self.session().await?, self.echo(sizes.session).await?);
        let query_echo = self.echo(sizes.query).await?;
        let query = self.query(products).await?;
        let query_again = (self.query(products).await?, self.echo(sizes.query).await?);
        Ok(Round {
            session: mean(session, again.0),
            session_echo: mean(session_echo, again.1),
            query: mean(query, query_again.0),
            query_echo: mean(query_echo, query_again.1),
            batched: mean(self.batched(products).await?, self.batched(products).await?),
        })
    }

    async fn echo(&self, size: Size) -> Result<Pace> {
        let request = EchoRequest {
            // Tag and length of the payload, and the number asked for, are part of the request.
            payload: Bytes::from(vec![1; size.request.saturating_sub(5)]),
            answer_bytes: size.answer.saturating_sub(3) as u32,
        };
        let caller = |channel| Echo(EchoClient::new(channel), request.clone());
        self.unary(&self.echo, self.pids.1, caller).await
    }

    async fn session(&self) -> Result<Pace> {
        self.unary(&self.souk, self.pids.0, |channel| Session(client::users(channel))).await
    }

    async fn query(&self, products: u64) -> Result<Pace> {
        self.unary(&self.souk, self.pids.0, |channel| Query(client::analytics(channel), products)).await
    }

    /// So many calls under way on every connection for the length of a slice.
    async fn unary<C: Caller>(
        &self,
        channels: &[Channel],
        pid: u32,
        caller: impl Fn(Channel) -> C,
    ) -> Result<Pace> {
        let (before, begun) = (Usage::of(pid)?, Instant::now());
        let deadline = begun + self.slice;
        let turn = Arc::new(AtomicU64::new(0));
        let mut callers = JoinSet::new();
        for channel in channels {
            for _ in 0..self.options.concurrency {
                let (mut caller, turn) = (caller(channel.clone()), Arc::clone(&turn));
                callers.spawn(async move {
                    while Instant::now() < deadline {
                        caller.call(turn.fetch_add(1, Ordering::Relaxed)).await?;
                    }
                    Ok::<(), Status>(())
                });
            }
        }
        while let Some(done) = callers.join_next().await {
            done??;
        }
        pace(turn.load(Ordering::Relaxed), begun, Usage::of(pid)? - before)
    }

    /// Batches of queries, some under way on each connection's stream.
    async fn batched(&self, products: u64) -> Result<Pace> {
        let pid = self.pids.0;
        let (before, begun) = (Usage::of(pid)?, Instant::now());
        let deadline = begun + self.slice;
        let mut streams = JoinSet::new();
        for channel in &self.souk {
            let (channel, batch) = (channel.clone(), self.options.batch);
            streams.spawn(async move { one_stream(channel, batch, products, deadline).await });
        }
        let mut keys = 0;
        while let Some(done) = streams.join_next().await {
            keys += done??;
        }
        pace(keys, begun, Usage::of(pid)? - before)
    }
}

async fn one_stream(channel: Channel, batch: usize, products: u64, deadline: Instant) -> Result<u64> {
    let (requests, sent) = mpsc::channel(AHEAD);
    let mut seq = 0;
    let mut next = || {
        seq += 1;
        let queries =
            (0..batch as u64).map(|n| query_request((seq as u64 * batch as u64 + n) % products)).collect();
        v1::QueryMetricsRequest { seq, queries, read: None }
    };
    for _ in 0..AHEAD {
        requests.send(next()).await?;
    }
    let mut answers = client::analytics(channel).query_metrics(ReceiverStream::new(sent)).await?.into_inner();
    let mut keys = 0;
    while Instant::now() < deadline {
        let answer = answers.message().await?.context("the stream ended")?;
        if answer.answers.is_empty() {
            continue;
        }
        ensure!(answer.answers.iter().all(|answer| answer.error.is_none()), "a query of a batch failed");
        keys += answer.answers.len() as u64;
        requests.send(next()).await?;
    }
    Ok(keys)
}

fn session_request(user: u64) -> v1::GetSessionRequest {
    v1::GetSessionRequest { name: format!("users/{}/sessions/latest", population::user(user)), read: None }
}

fn query_request(product: u64) -> v1::QueryMetricRequest {
    v1::QueryMetricRequest {
        name: "metrics/products".to_owned(),
        window: "total".to_owned(),
        r#where: [("product".to_owned(), format!("p-{product}"))].into(),
        ..Default::default()
    }
}

fn pace(count: u64, begun: Instant, used: Usage) -> Result<Pace> {
    ensure!(count > 0, "nothing was answered");
    Ok(Pace { per_second: count as f64 / begun.elapsed().as_secs_f64(), cost: used.per_million(count) })
}

fn mean(one: Pace, two: Pace) -> Pace {
    Pace {
        per_second: f64::midpoint(one.per_second, two.per_second),
        cost: f64::midpoint(one.cost, two.cost),
    }
}
