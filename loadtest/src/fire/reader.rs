//! Readers: ask for a session of each shard by turns, and for a metric that all shards make, at a fixed rate and of whoever answers.
//! An answer may be old while a shard has no owner, and then must say so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use souk_proto::v1;
use souk_proto::v1::answer_info::Source;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::samples::{Sample, Samples, Window};
use crate::souk::client;
use crate::souk::doors::{Doors, Troubles};
use crate::watcher::follower;

/// Between two reads of one reader.
const EVERY: Duration = Duration::from_millis(25);

#[derive(Debug, Default)]
pub struct Seen {
    pub samples: Samples,
    pub troubles: Troubles,
    /// When an answer was not the owner's, and how old it said it was.
    pub stale: Vec<(Instant, Option<Duration>)>,
}

#[derive(Debug)]
pub struct Readers {
    seen: Arc<Mutex<Seen>>,
    tasks: JoinSet<Result<()>>,
}

impl Readers {
    /// One that asks for these users' sessions, one that asks for a metric.
    pub fn start(addresses: &[String], users: Vec<String>) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = JoinSet::new();
        let sessions = users.into_iter().map(Question::Session).collect();
        tasks.spawn(go_on(Doors::new(addresses, 0)?, Arc::clone(&seen), sessions));
        tasks.spawn(go_on(Doors::new(addresses, 1)?, Arc::clone(&seen), vec![Question::Sales]));
        Ok(Self { seen, tasks })
    }

    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A reader that gave up.
    pub async fn failed(&mut self) -> Option<anyhow::Error> {
        match self.tasks.try_join_next()? {
            Ok(Err(error)) => Some(error),
            Ok(Ok(())) => None,
            Err(error) => Some(error.into()),
        }
    }
}

impl Seen {
    /// Answers within the windows that were not an owner's, the oldest of them, and those that did not say how old they were.
    pub fn stale(&self, windows: &[Window]) -> (usize, Duration, usize) {
        let within = |at: &Instant| windows.iter().any(|(from, until)| from <= at && at < until);
        let mut found = (0, Duration::ZERO, 0);
        for (_, age) in self.stale.iter().filter(|(at, _)| within(at)) {
            found.0 += 1;
            found.1 = found.1.max(age.unwrap_or_default());
            found.2 += usize::from(age.is_none());
        }
        found
    }
}

/// What a reader asks for.
#[derive(Debug, Clone)]
enum Question {
    Session(String),
    Sales,
}

impl Question {
    async fn ask(self, channel: Channel) -> Result<Option<v1::AnswerInfo>, Status> {
        let answered = match self {
            Self::Session(user) => {
                let request =
                    v1::GetSessionRequest { name: format!("users/{user}/sessions/latest"), read: None };
                client::users(channel).get_session(request).await.map(|answer| answer.into_inner().info)
            }
            Self::Sales => {
                let request = follower::total("sales", &[]);
                client::analytics(channel).query_metric(request).await.map(|answer| answer.into_inner().info)
            }
        };
        match answered {
            // An old cut may not have heard of somebody: an answer too.
            Err(status) if status.code() == Code::NotFound => Ok(None),
            answered => answered,
        }
    }
}

async fn go_on(mut doors: Doors, seen: Arc<Mutex<Seen>>, questions: Vec<Question>) -> Result<()> {
    let mut due = Instant::now();
    for question in questions.iter().cycle() {
        sleep_until(due).await;
        let mut troubles = Troubles::default();
        let answered = doors.call(&mut troubles, |channel| question.clone().ask(channel)).await;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.troubles.join(troubles);
        let answered = answered?;
        seen.samples.push(Sample { due, done: Instant::now(), at_once: answered.tries == 1 });
        if let Some(info) = answered.answer
            && matches!(info.source(), Source::Cut | Source::View)
        {
            seen.stale.push((due, info.age.and_then(|age| age.try_into().ok())));
        }
        due = seen.samples.repeat(EVERY);
        drop(seen);
        doors.turn();
    }
    Ok(())
}
