//! A node behind gRPC: batches over StreamEvents, with everything a publisher does about breaks.

use prost::Message as _;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{EventVerdict, StreamEventsResponse};

use super::drive::Sink;
use super::traffic::{Made, What};
use crate::cli::exit::Failure;
use crate::publisher::counts::Counts;
use crate::publisher::limits::BATCH_BYTES;
use crate::publisher::{Listener, Publisher};

/// What became of the events so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) counts: Counts,
    /// The first that was rejected.
    pub(super) first: Option<EventVerdict>,
}

impl Listener<()> for Told {
    fn answered(&mut self, (): (), answer: StreamEventsResponse) -> Result<(), Failure> {
        if let Some(counts) = &answer.counts {
            self.counts.add(counts);
        }
        if self.first.is_none() {
            self.first = answer.problems.into_iter().find(|verdict| verdict.outcome() == Outcome::Rejected);
        }
        Ok(())
    }
}

/// Hands events to a node.
#[derive(Debug)]
pub(super) struct Node(pub(super) Publisher<(), Told>);

impl Sink for Node {
    type Error = Failure;

    async fn take(&mut self, batch: Vec<Made>) -> Result<(), Failure> {
        let (mut events, mut size) = (Vec::with_capacity(batch.len()), 0);
        for made in batch {
            let What::Event(event) = made.what else { continue }; // there are lines only where lines are written
            let event = event.encode_to_vec();
            if size + event.len() > BATCH_BYTES && !events.is_empty() {
                self.0.send(std::mem::take(&mut events), ()).await?;
                size = 0;
            }
            size += event.len();
            events.push(event.into());
        }
        if events.is_empty() { Ok(()) } else { self.0.send(events, ()).await }
    }
}
