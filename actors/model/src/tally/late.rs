//! What became of a metric's facts: counted, or too late to be.

use std::collections::BTreeMap;

use prost::Message as _;
use souk_proto::state::v1 as state;

use super::codec::damaged;
use crate::actor::StateError;
use crate::time::Millis;

/// Facts of one metric: facts = counted + late, per fact that at least one measure takes, made or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    pub counted: u64,
    pub late: u64,
    /// Of those counted: into a pane of which a window had closed.
    pub corrections: u64,
    /// Offset of the Settings record the metric is counted from; 0 if from the first record.
    pub since: u64,
}

impl Ledger {
    pub fn facts(&self) -> u64 {
        self.counted + self.late
    }
}

pub(super) fn encode(ledgers: &BTreeMap<String, Ledger>, open_until: Millis) -> Vec<u8> {
    let stored = |ledger: &Ledger| state::TallyLedger {
        counted: ledger.counted,
        late: ledger.late,
        corrections: ledger.corrections,
        since: ledger.since,
    };
    let ledgers = ledgers.iter().map(|(name, ledger)| (name.clone(), stored(ledger))).collect();
    state::TallyHeader { ledgers, open_until }.encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<(BTreeMap<String, Ledger>, Millis), StateError> {
    let header = state::TallyHeader::decode(bytes).map_err(|error| damaged(&error.to_string()))?;
    let ledger = |stored: state::TallyLedger| Ledger {
        counted: stored.counted,
        late: stored.late,
        corrections: stored.corrections,
        since: stored.since,
    };
    let open_until = if bytes.is_empty() { Millis::MIN } else { header.open_until };
    Ok((header.ledgers.into_iter().map(|(name, stored)| (name, ledger(stored))).collect(), open_until))
}
