//! The port `Peers` over gRPC.
//!
//! A message's way: [`TonicPeers`] finds the node → its lane (`lane`), by the shard that speaks → if the receiver's credits and the bytes that
//! wait leave room (`room`) into the queue → the link (`link`), one stream on a connection of its own. Questions and what is followed go
//! over one more connection (`questions`). Connections are made when they are first needed, and a node left alone is forgotten.

mod connection;
mod lane;
mod link;
mod node;
mod questions;
mod rest;
mod room;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use parking_lot::Mutex;
use souk_proto::internal::v1::{AskResponse, FollowRequest, LinkRequest, ask_request};
use souk_runtime::ports::{News, Peers, Unreachable};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use self::connection::Target;
use self::lane::Laying;
use self::node::Node;
use crate::limits::{
    ADDRESSES, CONNECTIONS, LEAST_LINK_CREDITS, LINK_CREDITS, MOST_CONNECTIONS, MOST_LINK_CREDITS,
    SWEEP_EVERY,
};
use crate::{Error, Tls};

#[derive(Debug, Clone)]
pub struct PeersOptions {
    /// Where others reach this node, as `host:port`.
    pub address: String,
    /// Connections for links to each node. Questions have one of their own.
    pub connections: usize,
    /// Messages on their way over one link.
    pub credits: u32,
    /// Without it everything is plain.
    pub tls: Option<Tls>,
}

impl PeersOptions {
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), connections: CONNECTIONS, credits: LINK_CREDITS, tls: None }
    }
}

#[derive(Debug)]
pub struct TonicPeers {
    address: String,
    known: Arc<Known>,
}

/// The nodes that are spoken to.
#[derive(Debug)]
struct Known {
    connections: usize,
    credits: u32,
    tls: Option<Arc<Tls>>,
    /// By it others tell this process from one that had its address before.
    speaker: Arc<str>,
    interest: watch::Sender<bool>,
    tasks: Handle,
    nodes: Mutex<BTreeMap<String, Arc<Node>>>,
}

impl TonicPeers {
    /// Connects to nobody yet. Needs a tokio runtime around it.
    pub fn new(options: PeersOptions) -> Result<Self, Error> {
        if !(1..=MOST_CONNECTIONS).contains(&options.connections) {
            return Err(Error::option("connections", format!("must be 1 to {MOST_CONNECTIONS}")));
        }
        if !(LEAST_LINK_CREDITS..=MOST_LINK_CREDITS).contains(&options.credits) {
            let why = format!("must be {LEAST_LINK_CREDITS} to {MOST_LINK_CREDITS}");
            return Err(Error::option("credits", why));
        }
        let tls = options.tls.map(Arc::new);
        Target::new(&options.address, tls.clone()).endpoint()?;
        let known = Arc::new(Known {
            connections: options.connections,
            credits: options.credits,
            tls,
            speaker: format!("{:016x}", rand::random::<u64>()).into(),
            interest: watch::Sender::new(false),
            tasks: Handle::current(),
            nodes: Mutex::default(),
        });
        tokio::spawn(sweep(Arc::downgrade(&known)));
        Ok(Self { address: options.address, known })
    }
}

impl Known {
    fn node(&self, address: &str) -> Arc<Node> {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.get(address) {
            node.touch();
            return node.clone();
        }
        if nodes.len() >= ADDRESSES {
            let oldest = nodes.iter().min_by_key(|(_, node)| node.used()).map(|(address, _)| address.clone());
            oldest.and_then(|address| nodes.remove(&address));
        }
        let laying = Laying {
            target: Target::new(address, self.tls.clone()),
            speaker: self.speaker.clone(),
            credits: self.credits,
            interest: self.interest.subscribe(),
            tasks: self.tasks.clone(),
            ends: CancellationToken::new(),
        };
        let node = Arc::new(Node::new(self.connections, &laying));
        nodes.insert(address.to_owned(), node.clone());
        node
    }
}

/// Forgets nodes that were left alone, for as long as there is somebody to speak to them.
async fn sweep(known: Weak<Known>) {
    let mut rounds = interval(SWEEP_EVERY);
    loop {
        rounds.tick().await;
        let Some(known) = known.upgrade() else { return };
        let watched = *known.interest.borrow();
        known.nodes.lock().retain(|_, node| !node.is_idle(watched));
    }
}

#[async_trait]
impl Peers for TonicPeers {
    fn address(&self) -> &str {
        &self.address
    }

    fn tell(&self, address: &str, message: LinkRequest) -> bool {
        self.known.node(address).tell(message)
    }

    fn set_interest(&self, watched: bool) {
        self.known.interest.send_replace(watched);
    }

    async fn ask(
        &self,
        address: &str,
        question: ask_request::Question,
        deadline: Instant,
    ) -> Result<AskResponse, Unreachable> {
        self.known.node(address).questions.ask(question, deadline).await
    }

    async fn follow(&self, address: &str, request: FollowRequest) -> Result<News, Unreachable> {
        self.known.node(address).questions.follow(request).await
    }
}
