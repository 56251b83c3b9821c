//! What a shard's actor shares with those who read: the owner behind one lock, where it stands, and what callers wait for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use ractor::ActorRef;
use souk_model::journal::ShardId;
use souk_model::owner::{Owner, PeerMessage, StopReason};
use souk_model::shard::Shard;
use tokio::sync::watch;
use tokio::time::Instant;

use super::desk::Desk;
use super::fresh::Fresh;
use super::message::Message;
use super::underway::Underway;
use super::whereabouts::{Place, Whereabouts};
use crate::limits::PEER_MESSAGES_WAITING;
use crate::read::cut;

pub(crate) struct Cell {
    pub id: ShardId,
    owner: Mutex<Option<Owner<Shard>>>,
    mail: Mutex<Option<Mail>>,
    /// Offset of the last record folded, while live. Replaced after every turn that moved it.
    pub position: watch::Sender<u64>,
    /// Rises whenever something was loaded, heard of peers, or came live: whoever waits for anything else looks again.
    pub turned: watch::Sender<u64>,
    pub desk: Desk,
    pub fresh: Fresh,
    pub underway: Underway,
    peers_waiting: AtomicU64,
    /// Offset of the last record this node appended to it.
    pub appended: AtomicU64,
    pub restarts: AtomicU64,
    /// This node is to carry it.
    pub assigned: AtomicBool,
    /// An owner here caught up.
    serving: AtomicBool,
    /// Where it is else.
    pub whereabouts: Whereabouts,
    /// Where a desk was manned for this node's appends, and until when.
    pub manned: Mutex<Option<(Place, Instant)>>,
    /// Its last cut, while no owner answers and somebody reads it.
    pub cut: tokio::sync::Mutex<Option<cut::Copy>>,
    /// Why nobody carries it, when that needs a person.
    pub problem: Mutex<Option<String>>,
    /// Why its last owner ended, for the supervisor.
    pub ended: Mutex<Option<StopReason>>,
}

/// The mailbox of one shard actor: what an owner asked for is answered to that owner alone, whose tags mean nothing to the next.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    actor: ActorRef<Message>,
    waiting: Arc<AtomicU64>,
}

impl Mail {
    pub(crate) fn new(actor: ActorRef<Message>) -> Self {
        Self { actor, waiting: Arc::default() }
    }

    pub(crate) fn send(&self, message: Message) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.actor.cast(message).is_err() {
            self.taken();
        }
    }

    /// A message was taken out.
    pub(crate) fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self, reason: String) {
        self.actor.stop(Some(reason));
    }
}

/// Nobody carries the shard, or its owner has not caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotServing;

impl Cell {
    pub(crate) fn new(id: ShardId) -> Self {
        Self {
            id,
            owner: Mutex::new(None),
            mail: Mutex::new(None),
            position: watch::Sender::new(0),
            turned: watch::Sender::new(0),
            desk: Desk::default(),
            fresh: Fresh::default(),
            underway: Underway::default(),
            peers_waiting: AtomicU64::new(0),
            appended: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            assigned: AtomicBool::new(false),
            serving: AtomicBool::new(false),
            whereabouts: Whereabouts::default(),
            manned: Mutex::new(None),
            cut: tokio::sync::Mutex::new(None),
            problem: Mutex::new(None),
            ended: Mutex::new(None),
        }
    }

    /// The owner, locked: held for one slice of folding, or for one copy out.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Owner<Shard>>> {
        self.owner.lock()
    }

    /// Lets `read` see the shard, if an owner that caught up carries it.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Shard) -> R) -> Result<R, NotServing> {
        match &*self.lock() {
            Some(owner) if owner.is_live() => Ok(read(owner.fold())),
            _ => Err(NotServing),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.lock().as_ref().is_some_and(Owner::is_live)
    }

    /// Whether this node is to carry it, or does.
    pub(crate) fn is_here(&self) -> bool {
        self.assigned.load(Ordering::Acquire) || self.is_carried()
    }

    /// Whether calls for it are answered here: its owner caught up, or there is no other to ask while it does.
    pub(crate) fn answers_here(&self) -> bool {
        self.serving.load(Ordering::Acquire) || self.is_here() && self.whereabouts.known().is_none()
    }

    /// Its owner here caught up, or came to its end.
    pub(crate) fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
        if serving {
            self.whereabouts.came_here();
        }
    }

    /// The epoch its owner here claimed.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.lock().as_ref().and_then(Owner::epoch)
    }

    /// Whether anybody carries it, caught up or not.
    pub(crate) fn is_carried(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn set_mail(&self, mail: Option<Mail>) {
        *self.mail.lock() = mail;
    }

    /// Sends a message to whoever carries the shard; one nobody takes is lost, which every sender can bear.
    pub(crate) fn send(&self, message: Message) {
        if let Some(mail) = &*self.mail.lock() {
            mail.send(message);
        }
    }

    /// Hands on what another owner says. Whether it was taken: beyond the bound it is lost, as the protocol allows.
    pub(crate) fn send_peer(&self, from: ShardId, message: PeerMessage) -> bool {
        if self.peers_waiting.fetch_add(1, Ordering::Relaxed) >= PEER_MESSAGES_WAITING {
            self.peers_waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.send(Message::Peer { from, message });
        true
    }

    /// Messages waiting for whoever carries it.
    pub(crate) fn mailbox(&self) -> u64 {
        self.mail.lock().as_ref().map_or(0, |mail| mail.waiting.load(Ordering::Relaxed))
    }

    pub(crate) fn peer_taken(&self) {
        self.peers_waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Nobody carries it any more: what was in its mailbox is gone.
    pub(crate) fn vacate(&self) {
        self.set_serving(false);
        self.set_mail(None);
        *self.lock() = None;
        self.peers_waiting.store(0, Ordering::Relaxed);
        self.turn();
    }

    /// Stops whoever carries it, as it stands.
    pub(crate) fn stop(&self, why: &str) {
        if let Some(mail) = &*self.mail.lock() {
            mail.stop(why.to_owned());
        }
    }

    pub(crate) fn turn(&self) {
        self.turned.send_modify(|turn| *turn += 1);
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("id", &self.id).finish_non_exhaustive()
    }
}
