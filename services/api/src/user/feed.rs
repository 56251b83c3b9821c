//! The feed of a watch with DELIVERY_ALL: every event of a user as the journal has it, from an offset on. A task of its own, so that a wait
//! for the journal never holds up the rows; one batch ahead of its reader, so that a slow one holds it.

use std::sync::Arc;

use prost::Message as _;
use souk_model::journal::ShardId;
use souk_model::key::ActorKey;
use souk_model::record::Record;
use souk_model::shard::Decoded;
use souk_model::verdict::Reason;
use souk_proto::v1;
use souk_proto::v1::watch_user_response::Row;
use souk_runtime::Runtime;
use tokio::sync::mpsc;

use super::events::is_of;
use crate::ApiError;
use crate::limits::{EVENTS_BEHIND, FEED_BYTES, FEED_POLL};
use crate::stream::Events;

/// Reads on from an offset.
#[derive(Debug)]
pub(super) struct Feed {
    pub runtime: Arc<Runtime>,
    pub shard: ShardId,
    pub key: ActorKey,
    /// Offset of the next record to look at.
    pub next: u64,
}

impl Feed {
    pub(super) fn start(self) -> mpsc::Receiver<Result<Events, ApiError>> {
        let (out, events) = mpsc::channel(1);
        tokio::spawn(self.run(out));
        events
    }

    async fn run(mut self, out: mpsc::Sender<Result<Events, ApiError>>) {
        // Who resumes far back may be far behind, but not fall behind further.
        let mut allowed = None;
        loop {
            match self.read(&mut allowed).await {
                Ok(Some(events)) => {
                    if out.send(Ok(events)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => tokio::select! {
                    () = out.closed() => return,
                    () = tokio::time::sleep(FEED_POLL) => {}
                },
                Err(error) => {
                    let _gone = out.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// What is next, or that there is nothing yet.
    async fn read(&mut self, allowed: &mut Option<u64>) -> Result<Option<Events>, ApiError> {
        let read = self.runtime.entries(self.shard, self.next, FEED_BYTES).await?;
        let Some(last) = read.entries.last() else { return Ok(None) };
        let behind = read.end.saturating_sub(self.next);
        if behind > *allowed.get_or_insert(behind.saturating_add(EVENTS_BEHIND)) {
            let message = "the stream was not read fast enough; resume with its last token";
            return Err(ApiError::refused(Reason::SubscriberTooSlow, message).with("behind", behind));
        }
        self.next = last.offset + 1;
        let mut bodies = Vec::new();
        for entry in &read.entries {
            if let Ok(Record::Event(event)) = Decoded::of(entry).record
                && is_of(&event, &self.key)
            {
                let row = v1::WatchUserResponse { frame: None, row: Some(Row::Event(event.event)) };
                bodies.push((row.encode_to_vec().into(), entry.offset + 1));
            }
        }
        Ok(Some(Events { bodies, next: self.next }))
    }
}
