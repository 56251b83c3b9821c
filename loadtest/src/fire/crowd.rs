//! A crowd at a fixed rate, through all nodes: events of which no two hang on each other's order, so that none waits for another that
//! has to be sent again. Each is sent with its id until it is acknowledged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::samples::{Sample, Samples};
use crate::limits;
use crate::measure::clock;
use crate::measure::schedule::{Due, Schedule};
use crate::oracle::Oracle;
use crate::souk::doors::{Doors, Troubles};
use crate::traffic::{Sent, Shop, batch};

/// Events of one call.
const BATCH: usize = 20;
/// Longest run.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Debug, Default)]
pub struct Sending {
    pub samples: Samples,
    pub troubles: Troubles,
    pub acknowledged: u64,
}

#[derive(Debug)]
pub struct Crowd {
    sending: Arc<Mutex<Sending>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Oracle>>,
}

impl Crowd {
    /// `rate` events a second from now on; the oracle counts them beside what it has counted.
    pub fn start(addresses: &[String], shop: Shop, oracle: Oracle, rate: f64) -> Result<Self> {
        let sending = Arc::new(Mutex::new(Sending::default()));
        let (stop, stopped) = oneshot::channel();
        let schedule = Schedule::new(Instant::now(), rate / BATCH as f64, LONGEST);
        let doors = Doors::new(addresses, 0)?;
        let task = tokio::spawn(send(doors, shop, oracle, schedule, Arc::clone(&sending), stopped));
        Ok(Self { sending, stop, task })
    }

    pub fn look<T>(&self, look: impl FnOnce(&Sending) -> T) -> T {
        look(&self.sending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends no more, waits until all is acknowledged, and answers the recount.
    pub async fn end(self) -> Result<(Oracle, Arc<Mutex<Sending>>)> {
        // Ended already, with an error that comes next.
        self.stop.send(()).ok();
        Ok((self.task.await.context("the crowd")??, self.sending))
    }
}

async fn send(
    mut doors: Doors,
    mut shop: Shop,
    mut oracle: Oracle,
    schedule: Schedule,
    sending: Arc<Mutex<Sending>>,
    mut stopped: oneshot::Receiver<()>,
) -> Result<Oracle> {
    let room = Arc::new(Semaphore::new(limits::IN_FLIGHT));
    let mut calls: JoinSet<Result<()>> = JoinSet::new();
    let mut due = schedule.pace();
    loop {
        let Due { at, .. } = tokio::select! {
            Some(due) = due.recv() => due,
            Some(call) = calls.join_next() => {
                call??;
                continue;
            }
            _ = &mut stopped => break,
        };
        let permit = Arc::clone(&room).acquire_owned().await?;
        let events: Vec<Sent> = (0..BATCH).map(|_| shop.anytime(clock::now())).collect();
        events.iter().for_each(|sent| oracle.take(sent));
        doors.turn();
        let (doors, sending) = (doors.clone(), Arc::clone(&sending));
        calls.spawn(async move {
            call(doors, &sending, &events, at).await?;
            drop(permit);
            Ok(())
        });
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(oracle)
}

async fn call(mut doors: Doors, sending: &Mutex<Sending>, events: &[Sent], due: Instant) -> Result<()> {
    let request = batch::publish_request(batch::events(events), AckLevel::Logged, VerdictView::Problems);
    let mut troubles = Troubles::default();
    let answered = doors.publish(&mut troubles, request).await;
    let mut sending = sending.lock().unwrap_or_else(PoisonError::into_inner);
    sending.troubles.join(troubles);
    let answered = answered?;
    sending.acknowledged += events.len() as u64;
    sending.samples.push(Sample { due, done: Instant::now(), at_once: answered.tries == 1 });
    Ok(())
}
