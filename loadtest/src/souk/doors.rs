//! Several nodes of which any answers any call, as a caller in production has them: what one does not answer is asked of the next, word
//! for word, until it is answered. What was met on the way is counted by its reason.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use souk_proto::v1;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::client;
use super::lane::Lane;
use crate::limits;

#[derive(Debug, Clone)]
pub struct Doors {
    channels: Vec<Channel>,
    at: usize,
}

/// Tries that were not answered, by what a caller has to think of them.
#[derive(Debug, Clone, Default)]
pub struct Troubles {
    /// UNAVAILABLE with RetryInfo, as the API tells callers to wait; by reason.
    pub told: BTreeMap<String, u64>,
    /// Nobody listened: the call never left.
    pub closed: u64,
    /// Everything else: no answer in time, a connection that broke under the call, another error.
    pub failed: BTreeMap<String, u64>,
}

impl Troubles {
    pub fn join(&mut self, other: Self) {
        for (reason, count) in other.told {
            *self.told.entry(reason).or_default() += count;
        }
        for (reason, count) in other.failed {
            *self.failed.entry(reason).or_default() += count;
        }
        self.closed += other.closed;
    }

    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    pub fn told(&self) -> u64 {
        self.told.values().sum()
    }

    fn note(&mut self, status: &Status) {
        let asked_to_wait = status.get_details_retry_info().is_some();
        if never_left(status) {
            self.closed += 1;
        } else if status.code() == Code::Unavailable && asked_to_wait {
            *self.told.entry(client::reason(status)).or_default() += 1;
        } else {
            *self.failed.entry(client::reason(status)).or_default() += 1;
        }
    }
}

/// An answer, and how it was come by.
#[derive(Debug)]
pub struct Answered<T> {
    pub answer: T,
    pub tries: u32,
}

impl Doors {
    /// Begins at one of them; callers that begin at different ones share out their calls.
    pub fn new(addresses: &[String], first: usize) -> Result<Self> {
        let channels = addresses.iter().map(|address| client::lazy(address)).collect::<Result<Vec<_>>>()?;
        Ok(Self { at: first % channels.len(), channels })
    }

    pub fn channel(&self) -> Channel {
        self.channels[self.at].clone()
    }

    /// The next call goes to the next node.
    pub fn turn(&mut self) {
        self.at = (self.at + 1) % self.channels.len();
    }

    /// Sends an encoded PublishEventsRequest until it is answered.
    pub async fn publish(
        &mut self,
        troubles: &mut Troubles,
        request: Bytes,
    ) -> Result<Answered<v1::PublishEventsResponse>> {
        let publish = |channel| {
            let request = request.clone();
            async move { Lane::new(channel).publish(request).await }
        };
        self.call(troubles, publish).await
    }

    /// Asks until there is an answer. An error is one that asking again does not heal.
    pub async fn call<T, A: Future<Output = Result<T, Status>>>(
        &mut self,
        troubles: &mut Troubles,
        ask: impl Fn(Channel) -> A,
    ) -> Result<Answered<T>> {
        let begun = Instant::now();
        for tries in 1.. {
            let wait = match timeout(limits::TRY, ask(self.channel())).await {
                Ok(Ok(answer)) => return Ok(Answered { answer, tries }),
                Ok(Err(status)) => {
                    troubles.note(&status);
                    if !passes(&status) {
                        bail!("a call was refused: {status}");
                    }
                    wait_for(&status)
                }
                Err(_) => {
                    *troubles.failed.entry("no answer in time".to_owned()).or_default() += 1;
                    Duration::ZERO
                }
            };
            if begun.elapsed() > limits::PATIENCE {
                break;
            }
            self.turn();
            sleep(wait.clamp(limits::RECONNECT, limits::RETRY)).await;
        }
        bail!("a call was not answered for {:?}: {troubles:?}", limits::PATIENCE)
    }
}

fn wait_for(status: &Status) -> Duration {
    status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap_or_default()
}

/// Whether the same call may go through later: whatever became of a connection may, and what a server says it may.
pub fn passes(status: &Status) -> bool {
    let broken =
        std::error::Error::source(status).is_some_and(|source| source.is::<tonic::transport::Error>());
    broken
        || !matches!(
            status.code(),
            Code::InvalidArgument | Code::NotFound | Code::Unimplemented | Code::Internal
        )
}

/// Whether the call cannot have reached a server: there was no connection to carry it, or it ended before the call was written.
fn never_left(status: &Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
            return true;
        }
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            return true;
        }
        source = error.source();
    }
    false
}
