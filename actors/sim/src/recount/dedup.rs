//! Which ids are known: events by id (section 2), requests by id, bridged records by foreign offset (section 9).

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::journal::v1::BridgeStamp;

use super::time::{HOUR, MINUTE, Ms};
use super::verdict::Verdict;

const KNOWN_IDS: usize = 4_096;
const KNOWN_MINUTES: i64 = 60;
const KNOWN_REQUESTS: usize = 256;
const SEEN_OFFSETS: usize = 4_096;
const REQUESTS_KNOWN_FOR: Ms = 24 * HOUR;

/// Event ids of one actor, oldest first, each with the log time it was counted at.
#[derive(Debug, Clone, Default)]
pub(super) struct EventIds(Vec<(String, Ms)>);

impl EventIds {
    pub(super) fn knows(&self, id: &str, log: Ms) -> bool {
        !id.is_empty()
            && self.0.iter().any(|(known, at)| {
                known == id && log.div_euclid(MINUTE) - at.div_euclid(MINUTE) <= KNOWN_MINUTES
            })
    }

    pub(super) fn remember(&mut self, id: &str, log: Ms) {
        if id.is_empty() {
            return;
        }
        self.0.retain(|(known, _)| known != id);
        self.0.push((id.to_owned(), log));
        if self.0.len() > KNOWN_IDS {
            self.0.remove(0);
        }
    }
}

/// Requests of one actor, oldest first: id, the body's hash, when, and what became of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Vec<(String, u64, Ms, Verdict)>);

impl Requests {
    /// The hash and outcome remembered under this id.
    pub(super) fn get(&self, id: &str, log: Ms) -> Option<(u64, Verdict)> {
        let known = |at: Ms| log - at <= REQUESTS_KNOWN_FOR;
        let (_, hash, _, verdict) = self.0.iter().find(|(own, _, at, _)| own == id && known(*at))?;
        Some((*hash, *verdict))
    }

    pub(super) fn remember(&mut self, id: &str, hash: u64, log: Ms, verdict: Verdict) {
        if id.is_empty() {
            return;
        }
        self.0.retain(|(own, ..)| own != id);
        self.0.push((id.to_owned(), hash, log, verdict));
        if self.0.len() > KNOWN_REQUESTS {
            self.0.remove(0);
        }
    }
}

/// Foreign offsets of one shard, by source and partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Bridges(BTreeMap<(String, u32), Bridge>);

#[derive(Debug, Clone, Default)]
struct Bridge {
    stable: Option<u64>,
    seen: BTreeSet<u64>,
}

impl Bridges {
    /// Takes a stamp in; false: its record was here before.
    pub(super) fn admit(&mut self, stamp: &BridgeStamp) -> bool {
        let bridge = self.0.entry((stamp.source.clone(), stamp.partition)).or_default();
        let known =
            bridge.stable.is_some_and(|stable| stamp.offset <= stable) || bridge.seen.contains(&stamp.offset);
        if !known {
            bridge.seen.insert(stamp.offset);
        }
        bridge.stable = bridge.stable.max(stamp.stable);
        while bridge.seen.len() > SEEN_OFFSETS {
            bridge.stable = bridge.stable.max(bridge.seen.pop_first());
        }
        if let Some(stable) = bridge.stable {
            bridge.seen.retain(|offset| *offset > stable);
        }
        !known
    }
}
