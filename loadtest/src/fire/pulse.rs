//! A pulse per users shard: one event of one user at a fixed rate, judged by the fold before it is answered, sent again with the same id
//! until it is. When the shard has no owner its pulse stops; the first one due after that tells how long.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::samples::{Sample, Samples};
use crate::limits;
use crate::measure::clock;
use crate::souk::doors::{Doors, Troubles};
use crate::traffic::{Meant, Sent, batch};

/// Between two beats of one shard.
const EVERY: Duration = Duration::from_millis(100);

/// What came of the beats.
#[derive(Debug, Default)]
pub struct Beaten {
    pub samples: BTreeMap<String, Samples>,
    pub troubles: Troubles,
    pub wrong: Vec<String>,
    /// Acknowledged, and not handed to an oracle yet.
    sent: Vec<Sent>,
    serial: u64,
}

#[derive(Debug)]
pub struct Pulses {
    /// User by shard.
    pub users: BTreeMap<String, String>,
    beaten: Arc<Mutex<Beaten>>,
    /// Held for reading while a beat is under way.
    gate: Arc<RwLock<()>>,
    tasks: JoinSet<Result<()>>,
}

impl Pulses {
    /// Finds a user for each users shard, by where its first event lands.
    pub async fn start(addresses: &[String], shards: usize) -> Result<Self> {
        let beaten = Arc::new(Mutex::new(Beaten::default()));
        let mut doors = Doors::new(addresses, 0)?;
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        for candidate in 0..limits::CANDIDATES {
            if users.len() == shards {
                break;
            }
            let user = format!("pulse-{candidate}");
            let position = beat(&mut doors, &beaten, &user, Instant::now(), None).await?;
            let shard = position.split_once('@').context("an event lands somewhere")?.0;
            users.entry(shard.to_owned()).or_insert(user);
        }
        if users.len() < shards {
            bail!("{} of {shards} shards take somebody", users.len());
        }
        let gate = Arc::new(RwLock::new(()));
        let mut tasks = JoinSet::new();
        for (number, (shard, user)) in users.clone().into_iter().enumerate() {
            let doors = Doors::new(addresses, number)?;
            tasks.spawn(go_on(doors, Arc::clone(&beaten), Arc::clone(&gate), shard, user));
        }
        Ok(Self { users, beaten, gate, tasks })
    }

    pub fn look<T>(&self, look: impl FnOnce(&Beaten) -> T) -> T {
        look(&locked(&self.beaten))
    }

    /// Waits until no beat is under way. None begins until what this answers is dropped.
    pub async fn hold(&mut self) -> Result<OwnedRwLockWriteGuard<()>> {
        let held = Arc::clone(&self.gate).write_owned().await;
        match self.tasks.try_join_next() {
            Some(ended) => bail!("a pulse ended: {:?}", ended?),
            None => Ok(held),
        }
    }

    /// What was acknowledged since this was asked last, each person's in order.
    pub fn acknowledged(&self) -> Vec<Sent> {
        std::mem::take(&mut locked(&self.beaten).sent)
    }

    /// How long after a moment the first event due since then was judged; none where there was no such yet.
    pub fn back_after(&self, shard: &str, moment: Instant) -> Option<Duration> {
        self.look(|beaten| beaten.samples.get(shard)?.first_after(moment))
    }
}

fn locked(beaten: &Mutex<Beaten>) -> MutexGuard<'_, Beaten> {
    beaten.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn go_on(
    mut doors: Doors,
    beaten: Arc<Mutex<Beaten>>,
    gate: Arc<RwLock<()>>,
    shard: String,
    user: String,
) -> Result<()> {
    let mut due = Instant::now();
    loop {
        sleep_until(due).await;
        let asked = Instant::now();
        let _beating = gate.read().await;
        // Nothing is due while all are held.
        due += asked.elapsed();
        beat(&mut doors, &beaten, &user, due, Some(&shard)).await?;
        doors.turn();
        due = locked(&beaten).samples.entry(shard.clone()).or_default().repeat(EVERY);
    }
}

/// Sends one event until it is judged. Answers its position.
async fn beat(
    doors: &mut Doors,
    beaten: &Mutex<Beaten>,
    user: &str,
    due: Instant,
    shard: Option<&str>,
) -> Result<String> {
    let serial = {
        let mut beaten = locked(beaten);
        beaten.serial += 1;
        beaten.serial
    };
    let event = v1::Event {
        event_id: format!("{user}-{serial:x}"),
        event_time: Some(clock::timestamp(clock::now())),
        user_id: user.to_owned(),
        kind: Some(Kind::PageView(v1::PageView { page: "/pulse".to_owned(), ..Default::default() })),
        ..Default::default()
    };
    let request = batch::publish_request(vec![event.clone()], AckLevel::Applied, VerdictView::All);
    let mut troubles = Troubles::default();
    let answered = doors.publish(&mut troubles, request).await;
    let mut beaten = locked(beaten);
    beaten.troubles.join(troubles);
    let answered = answered.with_context(|| format!("the pulse of {}", shard.unwrap_or("a shard")))?;
    let is = answered.answer.verdicts.first().map(v1::EventVerdict::outcome);
    let again = answered.tries > 1;
    if !(is == Some(Outcome::Counted) || again && is == Some(Outcome::Duplicate)) {
        beaten.wrong.push(format!("event {} is {is:?} at try {}", event.event_id, answered.tries));
    }
    beaten.sent.push(Sent { event, meant: Meant::Counted });
    if let Some(shard) = shard {
        let sample = Sample { due, done: Instant::now(), at_once: !again };
        beaten.samples.entry(shard.to_owned()).or_default().push(sample);
    }
    Ok(answered.answer.position)
}
