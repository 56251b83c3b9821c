//! A correction: the row before and after, and the record that did it.

use souk_proto::v1;

use super::super::corrections::Correction;
use super::super::join::Measured;
use super::row::{read_back, row};
use crate::journal::ShardId;
use crate::ring::RingId;
use crate::settings::Settings;
use crate::tally::split_head;

impl Correction {
    /// Entry `id` of the ring of a products shard. None for a metric that is no longer declared.
    pub fn to_proto(&self, shard: ShardId, id: RingId, settings: &Settings) -> Option<v1::Correction> {
        let (_, metric, _) = split_head(&self.key)?;
        let metric = settings.metric(metric)?;
        let window = *metric.windows.get(self.window)?;
        let side = |values: &[Measured]| {
            let mut bytes = Vec::new();
            row(metric, &self.key, window, Some(self.range), values, &mut bytes);
            (!values.is_empty()).then(|| read_back(&bytes))
        };
        Some(v1::Correction {
            name: format!("metrics/{}/corrections/{shard}.{}.{}", metric.name, id.position, id.n),
            before: side(&self.before),
            after: side(&self.after),
            cause: format!("{}@{}", ShardId::users(self.source), self.offset),
        })
    }
}
