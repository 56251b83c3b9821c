//! Records brought over from foreign topics: deduplicated by (source, partition, offset), whoever sends them and how often.
//! SEMANTICS.md section 9.

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::journal::v1 as journal;
use souk_proto::state::v1 as state;

use crate::limits::{BRIDGE_WINDOW, BRIDGES};
use crate::planted::{Bug, Planted};
use crate::verdict::{Reason, Refusal, Verdict};

/// What a shard remembers of one partition of a foreign topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bridge {
    /// Everything up to here has come.
    stable: Option<u64>,
    /// What has come above it.
    seen: BTreeSet<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bridges {
    by_source: BTreeMap<(String, u32), Bridge>,
}

impl Bridges {
    /// Whether this record comes for the first time. A newest-offset rule is not enough: an older bridge still alive sends out of order.
    fn admit(&mut self, stamp: &journal::BridgeStamp, planted: Planted) -> Result<bool, Refusal> {
        let key = (stamp.source.clone(), stamp.partition);
        if !self.by_source.contains_key(&key) && self.by_source.len() >= BRIDGES {
            return Err(Refusal::new(
                Reason::TooManyItems,
                "bridge.source",
                "too many foreign partitions bridged",
            ));
        }
        let bridge = self.by_source.entry(key).or_default();
        if planted.has(Bug::BridgeNewestOffset) {
            let newest = bridge.seen.last().copied();
            bridge.seen.insert(stamp.offset);
            return Ok(newest.is_none_or(|newest| stamp.offset > newest));
        }
        let fresh =
            bridge.stable.is_none_or(|stable| stamp.offset > stable) && bridge.seen.insert(stamp.offset);
        bridge.raise(stamp.stable);
        while bridge.seen.len() > BRIDGE_WINDOW {
            let lowest = bridge.seen.first().copied();
            bridge.raise(lowest);
        }
        Ok(fresh)
    }

    /// The word on an event that its stamp alone decides: it came before, or comes from one source too many.
    pub(super) fn judge(
        &mut self,
        stamp: Option<&journal::BridgeStamp>,
        planted: Planted,
    ) -> Option<Verdict> {
        match self.admit(stamp?, planted) {
            Ok(true) => None,
            Ok(false) => Some(Verdict::Duplicate),
            Err(refusal) => Some(Verdict::Rejected(refusal)),
        }
    }

    pub(super) fn encode(&self) -> Vec<state::Bridge> {
        self.by_source
            .iter()
            .map(|((source, partition), bridge)| state::Bridge {
                source: source.clone(),
                partition: *partition,
                stable: bridge.stable,
                seen: bridge.seen.iter().copied().collect(),
            })
            .collect()
    }

    pub(super) fn decode(bridges: &[state::Bridge]) -> Self {
        let by_source = bridges
            .iter()
            .map(|b| {
                let bridge = Bridge { stable: b.stable, seen: b.seen.iter().copied().collect() };
                ((b.source.clone(), b.partition), bridge)
            })
            .collect();
        Self { by_source }
    }
}

impl Bridge {
    fn raise(&mut self, stable: Option<u64>) {
        self.stable = self.stable.max(stable);
        if let Some(stable) = self.stable {
            self.seen = self.seen.split_off(&(stable + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(offset: u64, stable: Option<u64>) -> journal::BridgeStamp {
        journal::BridgeStamp { source: "events".into(), partition: 0, offset, stable }
    }

    #[test]
    fn out_of_order_offsets_of_two_bridges_count_once_each() {
        let mut bridges = Bridges::default();
        let mut fresh = |offset, stable| bridges.admit(&stamp(offset, stable), Planted::default());
        assert_eq!(fresh(5, None), Ok(true));
        assert_eq!(fresh(3, None), Ok(true), "lower, but never seen");
        assert_eq!(fresh(5, None), Ok(false));
        assert_eq!(fresh(8, Some(6)), Ok(true));
        assert_eq!(fresh(4, None), Ok(false), "at or below the stable point");
        assert_eq!(fresh(7, Some(2)), Ok(true), "an older stable point takes nothing back");
    }

    #[test]
    fn the_window_is_bounded() {
        let mut bridges = Bridges::default();
        for offset in 0..2 * BRIDGE_WINDOW as u64 {
            assert_eq!(bridges.admit(&stamp(offset * 2, None), Planted::default()), Ok(true));
        }
        let kept = bridges.encode();
        assert!(kept[0].seen.len() <= BRIDGE_WINDOW);
        assert_eq!(Bridges::decode(&kept), bridges);
    }
}
