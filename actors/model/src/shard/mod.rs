//! The shard step: one record (or one slice of due timers) at a time, in the journal's order. One file per kind of record.
//!
//! [`Shard`] is what an owner carries. Bytes come in with [`Fold::step`](crate::owner::Fold::step); verdicts, replies, saga steps and
//! news leave in [`Outputs`]; facts go to the tally book.

mod ahead;
mod alerts;
mod bridge;
mod command;
mod core;
mod event;
mod fold;
mod header;
mod keyless;
mod library;
mod news;
mod products;
mod read;
mod step;
#[cfg(test)]
mod tests;
mod tombstone;
mod users;

pub use ahead::Decoded;
pub use alerts::Alert;
pub use core::{At, Counts, DeadLetter, FIRST_FOLD_VERSION, ShardConfig};
#[cfg(feature = "planted")]
pub use event::PANICS;
pub use library::SettingsLibrary;
pub use news::{AbandonedCart, AbandonedState, OpenOrder};
pub use products::ProductsShard;
pub use users::UsersShard;

use crate::actor::StateError;
use crate::bucket::KeyRef;
pub use crate::bucket::WARMED;
use crate::journal::Journal;
use crate::output::Outputs;
use crate::owner::fold::Progress;
use crate::record::Record;
use crate::settings::SettingsErrors;
use step::Steps as _;

/// The newest fold version this build knows.
pub const FOLD_VERSION: u32 = 1;

/// One partition of one journal, folded.
#[derive(Debug)]
pub enum Shard {
    Users(Box<UsersShard>),
    Products(Box<ProductsShard>),
}

impl Shard {
    pub fn new(config: ShardConfig) -> Result<Self, SettingsErrors> {
        Ok(match config.id.journal {
            Journal::Users => Self::Users(Box::new(UsersShard::new(config)?)),
            Journal::Products => Self::Products(Box::new(ProductsShard::new(config)?)),
        })
    }

    /// Folds one slice of a record that is decoded already; `bytes` is what a dead letter would keep.
    pub fn step_decoded(
        &mut self,
        at: At,
        bytes: &[u8],
        decoded: &Decoded,
        out: &mut Outputs,
    ) -> Result<Progress, StateError> {
        match self {
            Self::Users(shard) => shard.step_decoded(at, bytes, decoded, out),
            Self::Products(shard) => shard.step_decoded(at, bytes, decoded, out),
        }
    }

    /// Brings the actors of the next records into the cache, up to [`WARMED`] of them. Changes nothing: worth calling before
    /// [`Shard::step_decoded`] folds them one by one.
    pub fn warm_all<'a>(&self, records: impl Iterator<Item = &'a Decoded>) {
        let keys = records.filter_map(|decoded| match &decoded.record {
            Ok(Record::Event(event)) => Some(KeyRef::from(&event.key)),
            Ok(Record::Command(command)) => Some(KeyRef::from(&command.key)),
            Ok(Record::Step(step)) => Some(KeyRef::from(&step.key)),
            _ => None,
        });
        match self {
            Self::Users(shard) => shard.users.warm(keys),
            Self::Products(shard) => shard.products.warm(keys),
        }
    }

    /// Takes entries decoded elsewhere, by rising offset, so that they are not decoded again.
    pub fn decoded_ahead(&mut self, decoded: Vec<(u64, Box<Decoded>)>) {
        let core = match self {
            Self::Users(shard) => &mut shard.core,
            Self::Products(shard) => &mut shard.core,
        };
        let folded = core.position;
        for (offset, decoded) in decoded.into_iter().filter(|(offset, _)| *offset > folded) {
            core.put_decoded(offset, decoded);
        }
    }

    /// Encodes up to `max` of the actors nobody asked for of late; gives how many. Representation only.
    pub fn passivate(&mut self, max: usize) -> usize {
        match self {
            Self::Users(shard) => shard.users.passivate(max),
            Self::Products(shard) => shard.products.passivate(max),
        }
    }
}
