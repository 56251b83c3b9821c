//! The hub: which topics there are, whose news goes to which, and one task per topic that looks again when there is any.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::series::{Listener, SeriesBook};
use tokio::sync::watch;
use tokio::time::Instant;

use super::rows;
use super::topic::{Subject, Topic};
use crate::Error;
use crate::limits::{
    EVALUATE_EVERY, EVALUATION_SHARE, METRIC_TOPICS, RETRY_AFTER, TOPIC_HEARTBEAT, USER_TOPICS,
};
use crate::shard::World;

#[derive(Debug)]
pub(crate) struct Hub {
    /// By the head of the key texts they concern: shop, metric, key set. Several queries may share it.
    metrics: Mutex<BTreeMap<String, Vec<Weak<Topic>>>>,
    users: Mutex<BTreeMap<String, Weak<Topic>>>,
    metric_topics: AtomicUsize,
    user_topics: AtomicUsize,
    pub watchers: AtomicU64,
    pub frames: AtomicU64,
    pub evaluations: AtomicU64,
    pub draining: watch::Sender<bool>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            metrics: Mutex::default(),
            users: Mutex::default(),
            metric_topics: AtomicUsize::default(),
            user_topics: AtomicUsize::default(),
            watchers: AtomicU64::default(),
            frames: AtomicU64::default(),
            evaluations: AtomicU64::default(),
            draining: watch::Sender::new(false),
        }
    }
}

impl Hub {
    /// Takes what changed in a products shard's series to the topics it concerns. Called between two turns of the shard.
    pub(crate) fn look(&self, series: &mut SeriesBook) {
        let watched = self.metric_topics.load(Ordering::Relaxed) > 0;
        series.listen(Listener::Watch, watched);
        if !watched {
            return;
        }
        let changed = series.take_changed(Listener::Watch);
        if changed.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let topics = self.metrics.lock();
        let Some(changed) = changed else {
            topics.values().flatten().filter_map(Weak::upgrade).for_each(|topic| topic.mark());
            return;
        };
        let mut last = "";
        for text in changed.iter().map(|change| &*change.key) {
            let head = text.split('\u{1f}').next().unwrap_or(text);
            let Some(concerned) = topics.get(head) else { continue };
            for topic in concerned.iter().filter_map(Weak::upgrade) {
                let Subject::Metric(query) = &topic.subject else { continue };
                let concerns = match &query.key {
                    Some(values) => query.text_of(values) == text,
                    None => head != last,
                };
                if concerns {
                    topic.mark();
                }
            }
            last = head;
        }
    }

    /// Whether anybody watches a user.
    pub(crate) fn watches_actors(&self) -> bool {
        self.user_topics.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn actor_changed(&self, journal: Journal, key: &ActorKey) {
        if journal == Journal::Users
            && let Some(topic) = self.users.lock().get(key.as_str()).and_then(Weak::upgrade)
        {
            topic.mark();
        }
    }

    /// The topic of a subject, made when it is the first to be watched.
    pub(super) fn topic(&self, world: &Arc<World>, subject: Subject) -> Result<Arc<Topic>, Error> {
        match &subject {
            Subject::Metric(query) => {
                let head = query.text_of(&[]);
                let mut topics = self.metrics.lock();
                let same = topics.entry(head).or_default();
                same.retain(|topic| topic.strong_count() > 0);
                if let Some(topic) =
                    same.iter().filter_map(Weak::upgrade).find(|topic| topic.subject == subject)
                {
                    return Ok(topic);
                }
                let topic = self.made(world, &self.metric_topics, METRIC_TOPICS, subject)?;
                same.push(Arc::downgrade(&topic));
                Ok(topic)
            }
            Subject::User(key) => {
                let name = key.as_str().to_owned();
                let mut topics = self.users.lock();
                if let Some(topic) = topics.get(&name).and_then(Weak::upgrade) {
                    return Ok(topic);
                }
                let topic = self.made(world, &self.user_topics, USER_TOPICS, subject)?;
                topics.insert(name, Arc::downgrade(&topic));
                Ok(topic)
            }
        }
    }

    fn made(
        &self,
        world: &Arc<World>,
        count: &AtomicUsize,
        most: usize,
        subject: Subject,
    ) -> Result<Arc<Topic>, Error> {
        if count.load(Ordering::Relaxed) >= most {
            return Err(Error::Overloaded { retry_after: RETRY_AFTER });
        }
        count.fetch_add(1, Ordering::Relaxed);
        let topic = Arc::new(Topic::new(subject));
        topic.mark();
        tokio::spawn(keep(Arc::downgrade(world), Arc::downgrade(&topic)));
        Ok(topic)
    }

    /// A topic nobody watches any more.
    fn forget(&self, subject: &Subject) {
        match subject {
            Subject::Metric(query) => {
                self.metric_topics.fetch_sub(1, Ordering::Relaxed);
                let head = query.text_of(&[]);
                let mut topics = self.metrics.lock();
                if let Some(same) = topics.get_mut(&head) {
                    same.retain(|topic| topic.strong_count() > 0);
                    if same.is_empty() {
                        topics.remove(&head);
                    }
                }
            }
            Subject::User(key) => {
                self.user_topics.fetch_sub(1, Ordering::Relaxed);
                let mut topics = self.users.lock();
                if topics.get(key.as_str()).is_some_and(|topic| topic.strong_count() == 0) {
                    topics.remove(key.as_str());
                }
            }
        }
    }
}

/// Looks again at a topic whenever something of it changed, until nobody watches it.
async fn keep(world: Weak<World>, topic: Weak<Topic>) {
    let Some(subject) = topic.upgrade().map(|topic| topic.subject.clone()) else { return };
    while let Some((world, topic)) = world.upgrade().zip(topic.upgrade()) {
        if !topic.take_stale() {
            // Both are let go while waiting, or neither would ever end; a reader that goes notifies.
            let wait = Arc::clone(&topic);
            drop((world, topic));
            wait_for_news(wait).await;
            continue;
        }
        let began = Instant::now();
        let evaluation = match &subject {
            Subject::Metric(query) => rows::metric(&world, query),
            Subject::User(key) => rows::user(&world, key),
        };
        world.hub.evaluations.fetch_add(1, Ordering::Relaxed);
        match evaluation {
            Some(evaluation) => topic.take(evaluation),
            // A shard is away: look again.
            None => topic.mark(),
        }
        drop((world, topic));
        tokio::time::sleep((began.elapsed() * EVALUATION_SHARE).max(EVALUATE_EVERY)).await;
    }
    if let Some(world) = world.upgrade() {
        world.hub.forget(&subject);
    }
}

/// Waits with a share of the topic that does not count as a reader for longer than a heartbeat.
async fn wait_for_news(topic: Arc<Topic>) {
    tokio::select! {
        () = topic.look.notified() => {}
        () = tokio::time::sleep(TOPIC_HEARTBEAT) => {}
    }
}
