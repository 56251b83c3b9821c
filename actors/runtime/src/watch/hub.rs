//! The hub: which topics there are, and one task per topic that looks again when something of it changed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::markers::{Concern, Marker, Markers};
use super::rows;
use super::topic::{Subject, Topic};
use crate::limits::{
    EVALUATE_EVERY, EVALUATION_REST, EVALUATION_SHARE, FAR_FOLLOWERS, METRIC_TOPICS, RETRY_AFTER,
    TOPIC_HEARTBEAT, USER_TOPICS,
};
use crate::shard::World;
use crate::{Error, far};

#[derive(Debug)]
pub(crate) struct Hub {
    /// By the head of the key texts they concern: shop, metric, key set. Several queries may share it.
    metrics: Topics,
    users: Topics,
    pub markers: Markers,
    /// Other nodes' readers.
    followers: AtomicUsize,
    pub watchers: AtomicU64,
    pub frames: AtomicU64,
    pub evaluations: AtomicU64,
    pub draining: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Topics {
    by_name: Mutex<BTreeMap<String, Vec<Weak<Topic>>>>,
    count: AtomicUsize,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            metrics: Topics::default(),
            users: Topics::default(),
            markers: Markers::default(),
            followers: AtomicUsize::default(),
            watchers: AtomicU64::default(),
            frames: AtomicU64::default(),
            evaluations: AtomicU64::default(),
            draining: watch::Sender::new(false),
        }
    }
}

impl Hub {
    fn topics_of(&self, subject: &Subject) -> (&Topics, usize, String) {
        match subject {
            Subject::Metric(query) => (&self.metrics, METRIC_TOPICS, query.text_of(&[])),
            Subject::User(key) => (&self.users, USER_TOPICS, key.as_str().to_owned()),
        }
    }

    /// The topic of a subject, made when it is the first to be watched.
    pub(super) fn topic(&self, world: &Arc<World>, subject: Subject) -> Result<Arc<Topic>, Error> {
        let (topics, most, name) = self.topics_of(&subject);
        let mut by_name = topics.by_name.lock();
        let same = by_name.entry(name).or_default();
        same.retain(|topic| topic.strong_count() > 0);
        if let Some(topic) = same.iter().filter_map(Weak::upgrade).find(|topic| topic.subject == subject) {
            return Ok(topic);
        }
        if topics.count.load(Ordering::Relaxed) >= most {
            return Err(Error::Overloaded { retry_after: RETRY_AFTER });
        }
        topics.count.fetch_add(1, Ordering::Relaxed);
        let topic = Arc::new(Topic::new(subject));
        same.push(Arc::downgrade(&topic));
        drop(by_name);
        self.markers.put(&topic.marker);
        topic.marker.mark();
        tokio::spawn(keep(Arc::downgrade(world), Arc::downgrade(&topic)));
        if world.has_peers() {
            tokio::spawn(far::attend(Arc::downgrade(world), Arc::downgrade(&topic)));
        }
        Ok(topic)
    }

    /// A topic nobody watches any more.
    fn forget(&self, subject: &Subject) {
        let (topics, _, name) = self.topics_of(subject);
        topics.count.fetch_sub(1, Ordering::Relaxed);
        let mut by_name = topics.by_name.lock();
        if let Some(same) = by_name.get_mut(&name) {
            same.retain(|topic| topic.strong_count() > 0);
            if same.is_empty() {
                by_name.remove(&name);
            }
        }
        drop(by_name);
        self.markers.forget(&subject.concern());
    }

    /// A marker for a reader on another node.
    pub(crate) fn follower(&self, concern: Concern) -> Result<Arc<Marker>, Error> {
        if self.followers.fetch_add(1, Ordering::Relaxed) >= FAR_FOLLOWERS {
            self.followers.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Overloaded { retry_after: RETRY_AFTER });
        }
        let marker = Arc::new(Marker::new(concern));
        self.markers.put(&marker);
        marker.mark();
        Ok(marker)
    }

    /// The reader is gone.
    pub(crate) fn unfollow(&self, marker: Arc<Marker>) {
        let concern = marker.concern().clone();
        drop(marker);
        self.followers.fetch_sub(1, Ordering::Relaxed);
        self.markers.forget(&concern);
    }
}

/// Looks again at a topic whenever something of it changed, until nobody watches it.
async fn keep(world: Weak<World>, topic: Weak<Topic>) {
    let Some(subject) = topic.upgrade().map(|topic| topic.subject.clone()) else { return };
    while let Some((world, topic)) = world.upgrade().zip(topic.upgrade()) {
        if !topic.marker.take_stale() {
            // Both are let go while waiting, or neither would ever end; a reader that goes notifies.
            let wait = Arc::clone(&topic.marker);
            drop((world, topic));
            wait_for_news(wait).await;
            continue;
        }
        let began = Instant::now();
        let evaluation = match &subject {
            Subject::Metric(query) => rows::metric(&world, query).await,
            Subject::User(key) => rows::user(&world, key).await,
        };
        world.hub.evaluations.fetch_add(1, Ordering::Relaxed);
        // A shard is away, or its new owner is not as far yet: look again.
        if !evaluation.is_some_and(|evaluation| topic.take(evaluation)) {
            topic.marker.mark();
        }
        drop((world, topic));
        let rest = began.elapsed() * EVALUATION_SHARE;
        tokio::time::sleep(rest.clamp(EVALUATE_EVERY, EVALUATION_REST)).await;
    }
    if let Some(world) = world.upgrade() {
        world.hub.forget(&subject);
    }
}

/// Waits for no longer than a heartbeat: somebody may have gone meanwhile.
async fn wait_for_news(marker: Arc<Marker>) {
    tokio::select! {
        () = marker.look.notified() => {}
        () = tokio::time::sleep(TOPIC_HEARTBEAT) => {}
    }
}
