//! One reader of one or more topics: it remembers the version of each it has seen, and takes what is newer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use souk_model::journal::Journal;
use tokio::sync::watch;

use super::topic::{News, Subject, Topic};
use super::{Start, Update, Updates, WatchStanding, Watched};
use crate::Error;
use crate::limits::LOOK_AGAIN;
use crate::shard::World;

/// One watching reader. Dropping it ends its interest.
#[derive(Debug)]
pub struct Subscription {
    world: Arc<World>,
    _interest: crate::shard::Interest,
    watched: Vec<Reading>,
    /// Still to be sent: everything that is.
    snapshot: bool,
    draining: watch::Receiver<bool>,
    gone: bool,
}

#[derive(Debug)]
struct Reading {
    topic: Arc<Topic>,
    news: watch::Receiver<u64>,
    seen: u64,
    revision: u64,
    standing: News,
}

impl Subscription {
    pub(crate) async fn begin(world: &Arc<World>, watched: Watched, start: Start) -> Result<Self, Error> {
        let interest = world.interest();
        let subjects: Vec<Subject> = match watched {
            Watched::Metrics(queries) => queries.into_iter().map(Subject::Metric).collect(),
            Watched::User(key) => vec![Subject::User(key)],
        };
        let seen = match &start {
            Start::Resume(revisions) => revisions.clone(),
            _ => Vec::new(),
        };
        let mut readings = Vec::with_capacity(subjects.len());
        for (at, subject) in subjects.into_iter().enumerate() {
            let topic = world.hub.topic(world, subject)?;
            reach(&topic, seen.get(at).copied().unwrap_or_default(), world).await?;
            let news = topic.version.subscribe();
            let standing = topic.snapshot();
            let seen = if start == Start::Now { standing.version } else { 0 };
            readings.push(Reading {
                topic,
                news,
                seen,
                revision: 0,
                standing: News { rows: Vec::new(), ..standing },
            });
        }
        world.hub.watchers.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            world: Arc::clone(world),
            _interest: interest,
            watched: readings,
            snapshot: start != Start::Now,
            draining: world.hub.draining.subscribe(),
            gone: false,
        })
    }

    /// What is new: waits until something is. After [`Update::GoAway`] there is nothing more.
    pub async fn next(&mut self) -> Updates {
        loop {
            let updates = self.take();
            if !updates.is_empty() {
                self.world.hub.frames.fetch_add(updates.len() as u64, Ordering::Relaxed);
                return Updates { updates, standing: self.standing() };
            }
            if self.gone {
                return std::future::pending().await;
            }
            self.wait().await;
        }
    }

    fn take(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        let snapshot = std::mem::take(&mut self.snapshot);
        for (query, reading) in self.watched.iter_mut().enumerate() {
            let mut news =
                if snapshot { reading.topic.snapshot() } else { reading.topic.since(reading.seen) };
            let rows = std::mem::take(&mut news.rows);
            let merged = (news.version - reading.seen).saturating_sub(rows.len() as u64);
            if !snapshot && merged > 0 {
                self.world.tallies.lagged.fetch_add(1, Ordering::Relaxed);
                updates.push(Update::Lagged { skipped: merged });
            }
            updates.extend(rows.into_iter().map(|(found, gone)| match gone {
                true => Update::Gone { query, body: found.name },
                false => Update::Row { query, body: found.body, snapshot },
            }));
            reading.seen = news.version;
            reading.revision = reading.revision.max(news.revision);
            reading.standing = news;
        }
        if snapshot {
            updates.push(Update::SnapshotEnd);
        }
        if !self.gone && *self.draining.borrow() {
            self.gone = true;
            updates.push(Update::GoAway);
        }
        updates
    }

    async fn wait(&mut self) {
        let draining = &mut self.draining;
        let news = self.watched.iter_mut().map(|reading| Box::pin(reading.news.changed()));
        tokio::select! {
            _ = draining.wait_for(|draining| *draining) => {}
            _ = futures_util::future::select_all(news) => {}
        }
    }

    /// Where the reader stands, for a bookmark.
    pub fn standing(&self) -> WatchStanding {
        let position = match self.watched.first().map(|reading| &reading.topic.subject) {
            Some(Subject::User(key)) => {
                Some((self.world.home(Journal::Users, key).id, self.watched[0].revision))
            }
            _ => None,
        };
        WatchStanding {
            revisions: self.watched.iter().map(|reading| reading.revision).collect(),
            infos: self.watched.iter().map(|reading| reading.standing.info.clone()).collect(),
            position,
            as_of: self.watched.iter().map(|reading| reading.standing.as_of).min().flatten(),
        }
    }
}

/// Waits until a topic is as new as a reader has seen it, and was looked at once.
async fn reach(topic: &Topic, revision: u64, world: &World) -> Result<(), Error> {
    let mut draining = world.hub.draining.subscribe();
    let mut looked = topic.looked.subscribe();
    while *looked.borrow_and_update() == 0 || topic.revision() < revision {
        tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return Err(Error::Draining),
            _ = looked.changed() => continue,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        // Nothing of it changes, but positions move on.
        topic.marker.mark();
    }
    Ok(())
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.world.hub.watchers.fetch_sub(1, Ordering::Relaxed);
        let topics = std::mem::take(&mut self.watched);
        for reading in topics {
            // Its keeper looks whether anybody is left.
            reading.topic.marker.look.notify_one();
        }
    }
}
