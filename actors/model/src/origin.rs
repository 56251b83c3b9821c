//! Where an answer comes from: the owner's live state, or what is left to read while no owner answers, and how old that is.

use souk_proto::v1::answer_info::Source;

use crate::time::{Millis, SECOND};

/// From strong to weak; of answers put together the weakest counts, with its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Origin {
    #[default]
    Owner,
    /// The published view, so old.
    View(Millis),
    /// The last committed cut, so old.
    Cut(Millis),
}

impl Origin {
    pub fn source(self) -> Source {
        match self {
            Self::Owner => Source::Owner,
            Self::View(_) => Source::View,
            Self::Cut(_) => Source::Cut,
        }
    }

    /// How old it is; an owner's is not.
    pub fn age(self) -> Option<prost_types::Duration> {
        match self {
            Self::Owner => None,
            Self::View(age) | Self::Cut(age) => Some(prost_types::Duration {
                seconds: age.max(0) / SECOND,
                nanos: (age.max(0) % SECOND * 1_000_000) as i32,
            }),
        }
    }
}
