//! The manifest as a store keeps it: `souk.state.v1.Manifest` in bytes. Equal manifests have equal bytes, so stores may compare them.
//!
//! Bytes that do not decode, or say what no manifest can say, are an error: a shard with a damaged manifest is refused, never
//! begun anew.

use std::collections::BTreeMap;

use prost::Message as _;
use souk_proto::state::v1 as state;

use crate::actor::StateError;
use crate::cut::lineage::LineageError;
use crate::cut::manifest::{Manifest, SectionSummary};
use crate::journal::{Journal, ShardId};

/// The newest format this build writes and reads.
pub const FORMAT: u8 = 1;

impl Manifest {
    pub fn encode(&self) -> Vec<u8> {
        state::Manifest {
            format: u32::from(FORMAT),
            journal: self.shard.journal.name().to_owned(),
            partition: u32::from(self.shard.partition),
            epoch: self.epoch,
            owner: self.owner.clone(),
            address: self.address.clone(),
            topic_id: self.topic_id,
            partitions: u32::from(self.partitions),
            fold_version: self.fold_version,
            settings_hash: self.settings_hash,
            cut: self.cut,
            position: self.position,
            position_time_ms: self.position_time,
            last_checksum: self.last_checksum,
            lineage: self.lineage.clone(),
            sections: self
                .sections
                .iter()
                .map(|(section, summary)| (u32::from(*section), encode_section(summary)))
                .collect(),
            skips: self.skips.clone(),
            panics: self.panics.clone(),
        }
        .encode_to_vec()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let stored = state::Manifest::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        if stored.format != u32::from(FORMAT) {
            return Err(unknown_format(stored.format));
        }
        let manifest = Self {
            shard: shard(&stored)?,
            epoch: stored.epoch,
            owner: stored.owner,
            address: stored.address,
            topic_id: stored.topic_id,
            partitions: narrow(stored.partitions, "partitions")?,
            fold_version: stored.fold_version,
            settings_hash: stored.settings_hash,
            cut: stored.cut,
            position: stored.position,
            position_time: stored.position_time_ms,
            last_checksum: stored.last_checksum,
            lineage: stored.lineage,
            sections: stored
                .sections
                .into_iter()
                .map(decode_section)
                .collect::<Result<BTreeMap<_, _>, _>>()?,
            skips: stored.skips,
            panics: stored.panics,
        };
        manifest.is_lawful().map(|()| manifest)
    }

    /// What every manifest an owner wrote satisfies.
    fn is_lawful(&self) -> Result<(), StateError> {
        if self.epoch == 0 || self.partitions <= self.shard.partition {
            return Err(damaged(format!(
                "epoch {} of {} of {} partitions",
                self.epoch, self.shard, self.partitions
            )));
        }
        match self
            .sections
            .keys()
            .flat_map(|section| self.segments_of(*section))
            .find(|id| !self.committed(id.cut, id.epoch))
        {
            Some(id) => Err(damaged(LineageError::Uncommitted(id).to_string())),
            None => Ok(()),
        }
    }
}

fn encode_section(summary: &SectionSummary) -> state::SectionSummary {
    let piece = |(cut, epoch): (u64, u64)| state::Piece { cut, epoch };
    state::SectionSummary {
        base: Some(piece(summary.base)),
        deltas: summary.deltas.iter().copied().map(piece).collect(),
        actors: summary.actors,
        bytes: summary.bytes,
        earliest_watermark_timer_ms: summary.earliest_watermark_timer,
        earliest_log_timer_ms: summary.earliest_log_timer,
    }
}

fn decode_section(
    (section, stored): (u32, state::SectionSummary),
) -> Result<(u16, SectionSummary), StateError> {
    let base = stored.base.ok_or_else(|| damaged(format!("section {section} has no base")))?;
    let summary = SectionSummary {
        base: (base.cut, base.epoch),
        deltas: stored.deltas.iter().map(|piece| (piece.cut, piece.epoch)).collect(),
        actors: stored.actors,
        bytes: stored.bytes,
        earliest_watermark_timer: stored.earliest_watermark_timer_ms,
        earliest_log_timer: stored.earliest_log_timer_ms,
    };
    Ok((narrow(section, "section")?, summary))
}

fn shard(stored: &state::Manifest) -> Result<ShardId, StateError> {
    let journal =
        [Journal::Users, Journal::Products].into_iter().find(|journal| journal.name() == stored.journal);
    let journal = journal.ok_or_else(|| damaged(format!("no journal is called {:?}", stored.journal)))?;
    Ok(ShardId { journal, partition: narrow(stored.partition, "partition")? })
}

fn narrow(value: u32, what: &str) -> Result<u16, StateError> {
    u16::try_from(value).map_err(|_| damaged(format!("{what} is {value}")))
}

/// Format 0 is what bytes of something else decode to.
fn unknown_format(format: u32) -> StateError {
    match u8::try_from(format) {
        Ok(0) => damaged("it has no format".to_owned()),
        found => StateError::Newer { found: found.unwrap_or(u8::MAX), newest: FORMAT },
    }
}

fn damaged(what: String) -> StateError {
    StateError::Damaged(format!("manifest: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        let section = SectionSummary {
            base: (3, 2),
            deltas: vec![(5, 4), (7, 4)],
            actors: 12,
            bytes: 3_400,
            earliest_watermark_timer: Some(-5),
            earliest_log_timer: None,
        };
        Manifest {
            shard: ShardId::products(3),
            epoch: 5,
            owner: "node-1/17".into(),
            address: "10.0.0.7:7071".to_owned(),
            topic_id: u64::MAX,
            partitions: 8,
            fold_version: 1,
            settings_hash: 99,
            cut: 7,
            position: 1_000,
            position_time: 1_700_000_000_000,
            last_checksum: 0xdead_beef,
            lineage: BTreeMap::from([(2, 3), (4, 7)]),
            sections: BTreeMap::from([(64, section)]),
            skips: BTreeMap::from([(900, "panicked".into())]),
            panics: BTreeMap::from([(1_001, 2)]),
        }
    }

    #[test]
    fn a_manifest_survives_its_store() {
        assert_eq!(Manifest::decode(&manifest().encode()), Ok(manifest()));
    }

    #[test]
    fn a_manifest_of_a_newer_format_is_not_read() {
        let mut stored = state::Manifest::decode(manifest().encode().as_slice()).unwrap();
        stored.format = 2;
        assert_eq!(
            Manifest::decode(&stored.encode_to_vec()),
            Err(StateError::Newer { found: 2, newest: FORMAT })
        );
    }

    #[test]
    fn a_manifest_that_names_an_uncommitted_segment_is_damaged() {
        let mut broken = manifest();
        broken.lineage.insert(4, 6);
        assert!(matches!(Manifest::decode(&broken.encode()), Err(StateError::Damaged(_))));
        assert!(matches!(Manifest::decode(&[]), Err(StateError::Damaged(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..300, flip in any::<u8>()) {
            let _outcome = Manifest::decode(&bytes);
            let mut stored = manifest().encode();
            let at = at % stored.len();
            stored[at] ^= flip;
            let _outcome = Manifest::decode(&stored);
        }
    }
}
