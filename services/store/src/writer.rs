//! The writer: one thread that changes the file. Whatever waits for it when it comes round is one transaction.
//!
//! Nobody hears of a change before it is durable. When a transaction fails its callers are told `Unknown`, by nobody answering
//! them: a failing disk does not say what reached it. Then the file is opened anew, which finds the last whole transaction.

use std::sync::Arc;

use redb::{Durability, StorageError};
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, WriteOutcome};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::database::File;
use crate::limits::{REOPEN_EVERY, WORKS_PER_COMMIT};
use crate::schema::Changing;

/// One thing to do. Whoever asked for an answer and gets none knows that the outcome is unknown.
#[derive(Debug)]
pub(crate) enum Work {
    Flip {
        condition: Condition,
        manifest: Box<Manifest>,
        reply: oneshot::Sender<CasOutcome>,
    },
    Write {
        shard: ShardId,
        segments: Vec<Segment>,
        reply: oneshot::Sender<WriteOutcome>,
    },
    Delete {
        shard: ShardId,
        segments: Vec<SegmentId>,
    },
    /// A read failed: the file wants to be opened anew.
    Reopen,
}

/// What to say once the transaction is durable.
enum Answer {
    Flipped(oneshot::Sender<CasOutcome>, CasOutcome),
    Written(oneshot::Sender<WriteOutcome>),
}

impl Answer {
    fn give(self) {
        // A caller that is gone no longer wants to know.
        match self {
            Self::Flipped(reply, outcome) => drop(reply.send(outcome)),
            Self::Written(reply) => drop(reply.send(WriteOutcome::Written)),
        }
    }
}

/// Runs until nobody can send any more, and everything sent is done.
pub(crate) fn run(file: &Arc<File>, mut queue: mpsc::Receiver<Work>) {
    let mut reopened = None;
    let mut works = Vec::with_capacity(WORKS_PER_COMMIT);
    while queue.blocking_recv_many(&mut works, WORKS_PER_COMMIT) > 0 {
        let wants_reopening = works.iter().any(|work| matches!(work, Work::Reopen));
        let failed = match commit(file, works.drain(..)) {
            Ok(answers) => {
                answers.into_iter().for_each(Answer::give);
                false
            }
            Err(error) => {
                tracing::error!(file = %file.path().display(), %error, "the store's file failed");
                true
            }
        };
        if (failed || wants_reopening) && reopened.is_none_or(|at: Instant| at.elapsed() >= REOPEN_EVERY) {
            reopened = Some(Instant::now());
            match file.reopen() {
                Ok(()) => tracing::info!(file = %file.path().display(), "the store's file was opened anew"),
                Err(error) => {
                    tracing::error!(file = %file.path().display(), %error, "the store's file does not open");
                }
            }
        }
    }
    file.close();
}

/// One transaction. In order: a manifest's condition is judged on what the works before left.
fn commit(file: &File, works: impl Iterator<Item = Work>) -> Result<Vec<Answer>, redb::Error> {
    let mut transaction = file.write()?;
    let mut answers = Vec::new();
    {
        let mut tables = Changing::of(&transaction)?;
        for work in works {
            answers.extend(apply(&mut tables, work)?);
        }
    }
    if answers.is_empty() {
        // Deletes alone: the next write makes them durable, and a lost one is harmless.
        transaction.set_durability(Durability::None)?;
    }
    transaction.commit()?;
    Ok(answers)
}

fn apply(tables: &mut Changing<'_>, work: Work) -> Result<Option<Answer>, redb::Error> {
    Ok(match work {
        Work::Flip { condition, manifest, reply } => {
            let outcome = flip(tables, condition, &manifest)?;
            Some(Answer::Flipped(reply, outcome))
        }
        Work::Write { shard, segments, reply } => {
            for segment in &segments {
                tables.put_segment(shard, segment)?;
            }
            Some(Answer::Written(reply))
        }
        Work::Delete { shard, segments } => {
            for id in segments {
                tables.delete_segment(shard, id)?;
            }
            None
        }
        Work::Reopen => None,
    })
}

fn flip(
    tables: &mut Changing<'_>,
    condition: Condition,
    manifest: &Manifest,
) -> Result<CasOutcome, redb::Error> {
    let current = tables.manifest(manifest.shard)?.map(|bytes| Manifest::decode(&bytes)).transpose();
    let current = current.map_err(|error| StorageError::Corrupted(error.to_string()))?;
    if !condition.holds(current.as_ref()) {
        return Ok(CasOutcome::NotApplied { current: current.map(Box::new) });
    }
    tables.put_manifest(manifest)?;
    Ok(CasOutcome::Applied)
}
