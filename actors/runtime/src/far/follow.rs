//! News of shards on other nodes, for topics of this one; and of shards here, for topics there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use futures_util::future::join_all;
use souk_model::journal::{Journal, ShardId};
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::follow_request::Subject as Followed;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{StreamExt as _, StreamMap};

use crate::Error;
use crate::limits::{EVALUATE_EVERY, FOLLOW_AGAIN};
use crate::ports::News;
use crate::read::cells_of;
use crate::shard::{Cell, World};
use crate::watch::{Concern, Subject, Topic};

/// What a topic follows.
#[derive(Default)]
struct Followings {
    /// News by the address of their node.
    news: StreamMap<Arc<str>, ReceiverStream<()>>,
    /// Epochs of the owners elsewhere. Another one may be on a node that is followed anyway: what was asked of the one before is stale.
    owners: BTreeMap<ShardId, u64>,
}

/// Follows what a topic is about wherever its shards are, for as long as it is watched.
pub(crate) async fn attend(world: Weak<World>, topic: Weak<Topic>) {
    let mut followings = Followings::default();
    while let Some((node, watched)) = world.upgrade().zip(topic.upgrade()) {
        refresh(&node, &watched, &mut followings).await;
        drop((node, watched));
        let news = async {
            match followings.news.is_empty() {
                true => std::future::pending().await,
                false => followings.news.next().await,
            }
        };
        // Every end of a following is news too: what it was about may have moved.
        let told = timeout(FOLLOW_AGAIN, news).await.is_ok();
        if told && let Some(topic) = topic.upgrade() {
            topic.marker.mark();
            drop(topic);
            sleep(EVALUATE_EVERY).await;
        }
    }
}

/// Begins to follow where it is not followed yet, and ends where nothing of it is any more.
async fn refresh(world: &Arc<World>, topic: &Topic, followings: &mut Followings) {
    let elsewhere = cells(world, &topic.subject).iter().filter(|cell| !cell.answers_here());
    let locate = async |cell: &Arc<Cell>| Some((cell.id, world.locate(cell).await?));
    // All at once: a store that is away costs its wait once, not once a shard.
    let places: Vec<_> = join_all(elsewhere.map(locate)).await.into_iter().flatten().collect();
    let owners = places.iter().map(|(shard, place)| (*shard, place.epoch)).collect();
    if std::mem::replace(&mut followings.owners, owners) != followings.owners {
        topic.marker.mark();
    }
    let wanted: BTreeSet<Arc<str>> = places.into_iter().map(|(_, place)| place.address).collect();
    let news = &mut followings.news;
    let ended: Vec<Arc<str>> = news.keys().filter(|at| !wanted.contains(*at)).cloned().collect();
    for address in ended {
        news.remove(&address);
    }
    for address in wanted {
        if news.contains_key(&address) {
            continue;
        }
        let request = internal::FollowRequest { subject: Some(followed(&topic.subject)) };
        if let Ok(told) = world.ports.peers.follow(&address, request).await {
            news.insert(address, ReceiverStream::new(told));
        }
        // One that cannot be followed is asked: that finds out where its shards are now.
        topic.marker.mark();
    }
}

fn cells<'a>(world: &'a World, subject: &Subject) -> &'a [Arc<Cell>] {
    match subject {
        Subject::Metric(query) => cells_of(world, query),
        Subject::User(key) => std::slice::from_ref(world.home(Journal::Users, key)),
    }
}

fn followed(subject: &Subject) -> Followed {
    match subject.concern() {
        Concern::Rows(head) => Followed::Rows(head),
        Concern::Row(text) => Followed::Row(text),
        Concern::User(key) => Followed::User(key),
    }
}

/// News of a subject for a reader on another node; while they wait they are one.
pub(crate) fn follow(world: &Arc<World>, request: internal::FollowRequest) -> Result<News, Error> {
    let concern = match request.subject {
        Some(Followed::Rows(head)) => Concern::Rows(head),
        Some(Followed::Row(text)) => Concern::Row(text),
        Some(Followed::User(key)) => Concern::User(key),
        None => return Err(Error::Draining),
    };
    let marker = world.hub.follower(concern)?;
    let (send, news) = mpsc::channel(1);
    let world = Arc::downgrade(world);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = send.closed() => break,
                () = marker.look.notified() => {}
            }
            if marker.take_stale() && send.send(()).await.is_err() {
                break;
            }
            sleep(EVALUATE_EVERY).await;
        }
        if let Some(world) = world.upgrade() {
            world.hub.unfollow(marker);
        }
    });
    Ok(news)
}
