//! One of a node's lanes: a link that is kept, and the queue before it. All messages of one shard take the same lane, so they keep their order.
//!
//! A lane is opened by the first message. From then on its task opens a link again whenever one breaks, after a rest, until the node is
//! forgotten. What waits when a link breaks is lost; while the task rests, so is what is told.

use std::sync::Arc;

use parking_lot::Mutex;
use souk_proto::internal::v1::LinkRequest;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::Target;
use super::link::{Link, Name};
use super::rest::Rest;
use super::room;

#[derive(Debug)]
pub(super) struct Lane {
    target: Target,
    name: String,
    credits: u32,
    interest: watch::Receiver<bool>,
    /// What the lane's task runs on, and until when.
    tasks: Handle,
    ends: CancellationToken,
    way: Mutex<Way>,
}

#[derive(Debug)]
enum Way {
    Unopened,
    Resting,
    Open(room::Sender),
}

/// What a lane is made with.
#[derive(Debug, Clone)]
pub(super) struct Laying {
    pub(super) target: Target,
    /// Of all nodes there ever were, this one.
    pub(super) speaker: Arc<str>,
    pub(super) credits: u32,
    pub(super) interest: watch::Receiver<bool>,
    pub(super) tasks: Handle,
    pub(super) ends: CancellationToken,
}

impl Lane {
    pub(super) fn new(number: usize, laying: &Laying) -> Arc<Self> {
        Arc::new(Self {
            target: laying.target.clone(),
            name: format!("{}-{number}", laying.speaker),
            credits: laying.credits,
            interest: laying.interest.clone(),
            tasks: laying.tasks.clone(),
            ends: laying.ends.clone(),
            way: Mutex::new(Way::Unopened),
        })
    }

    pub(super) fn tell(self: &Arc<Self>, message: LinkRequest) -> bool {
        let mut way = self.way.lock();
        match &*way {
            Way::Open(queue) => queue.send(message),
            Way::Resting => false,
            Way::Unopened => {
                let (sender, receiver) = room::queue(self.credits);
                let told = sender.send(message);
                *way = Way::Open(sender);
                let (lane, ends) = (self.clone(), self.ends.clone());
                self.tasks.spawn(async move { ends.run_until_cancelled(lane.keep(receiver)).await });
                told
            }
        }
    }

    /// Whether a link is open, or being opened.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.way.lock(), Way::Open(_))
    }

    async fn keep(self: Arc<Self>, mut queue: room::Receiver) {
        let mut rest = Rest::new();
        for turn in 1.. {
            let name = Name { name: self.name.clone(), turn };
            let link = Link { name, queue, interest: self.interest.clone() };
            if link.carry(&self.target).await {
                rest = Rest::new();
            }
            *self.way.lock() = Way::Resting;
            sleep(rest.next()).await;
            let (sender, receiver) = room::queue(self.credits);
            *self.way.lock() = Way::Open(sender);
            queue = receiver;
        }
    }
}
