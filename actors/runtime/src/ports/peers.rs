//! Peers: the other nodes, each known by the address that stands in the manifests of the shards it carries.
//!
//! Contract, checked by `conformance::peers`: what is told from one shard to another arrives in order or not at all; a question is
//! answered once or fails; news of what is followed may be merged, and its end says that some may have been missed. Nothing here
//! waits for a node that is away longer than it is asked to.

use std::fmt::Debug;

use async_trait::async_trait;
use souk_proto::internal::v1::{AskRequest, AskResponse, FollowRequest, LinkRequest, ask_request};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Error;

/// The node does not answer: it is away, not reachable, or has too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node does not answer")]
pub struct Unreachable;

/// One message for each news, of which as many as wait are merged; the end: begin anew.
pub type News = mpsc::Receiver<()>;

#[async_trait]
pub trait Peers: Send + Sync + Debug {
    /// Where others reach this node: what its owners write into manifests. Empty: nobody does.
    fn address(&self) -> &str;

    /// Sends a message on its way, without waiting. `false`: it is lost, as the protocol of shards allows.
    fn tell(&self, address: &str, message: LinkRequest) -> bool;

    /// Whether anybody on this node watches: told to every node it tells something, now, and first of all whenever the way there is
    /// begun anew.
    fn set_interest(&self, watched: bool);

    /// Asks a node, and waits for the answer until the deadline.
    async fn ask(
        &self,
        address: &str,
        question: ask_request::Question,
        deadline: Instant,
    ) -> Result<AskResponse, Unreachable>;

    /// Begins to follow something on a node. The first news comes at once.
    async fn follow(&self, address: &str, request: FollowRequest) -> Result<News, Unreachable>;
}

/// What a node does with what others say to it: the other end of [`Peers`].
#[async_trait]
pub trait Inbound: Send + Sync + Debug {
    /// A link was opened. What comes over it is heard, in order, by what is returned, which is dropped when the link ends.
    fn link_opened(&self) -> Box<dyn LinkInbound>;

    /// Answers a question, within the patience it names. Dropped when whoever asked has gone.
    async fn answer(&self, question: AskRequest) -> AskResponse;

    /// Begins to follow something of this node. The first news comes at once.
    fn follow(&self, request: FollowRequest) -> Result<News, Error>;
}

/// Hears what comes over one link. With it ends the interest that was told over it.
pub trait LinkInbound: Send {
    /// Takes a message, without waiting.
    fn hear(&mut self, message: LinkRequest);
}

/// Of a node alone: there is nobody.
#[derive(Debug)]
pub struct Nobody;

#[async_trait]
impl Peers for Nobody {
    fn address(&self) -> &str {
        ""
    }

    fn tell(&self, _: &str, _: LinkRequest) -> bool {
        false
    }

    fn set_interest(&self, _: bool) {}

    async fn ask(&self, _: &str, _: ask_request::Question, _: Instant) -> Result<AskResponse, Unreachable> {
        Err(Unreachable)
    }

    async fn follow(&self, _: &str, _: FollowRequest) -> Result<News, Unreachable> {
        Err(Unreachable)
    }
}
