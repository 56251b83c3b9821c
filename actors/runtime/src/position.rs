//! Positions: where one or more shards stand, as text a caller hands back. `users-17@48211`, several joined by commas.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use souk_model::journal::ShardId;

use crate::limits::MOST_SHARDS;

/// Offset by shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position(pub BTreeMap<ShardId, u64>);

impl Position {
    pub fn at(shard: ShardId, offset: u64) -> Self {
        Self(BTreeMap::from([(shard, offset)]))
    }

    /// Takes the later of both where a shard is in both.
    pub fn reach(&mut self, shard: ShardId, offset: u64) {
        let at = self.0.entry(shard).or_default();
        *at = offset.max(*at);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (shard, offset)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{shard}@{offset}")?;
        }
        Ok(())
    }
}

/// The text is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is written users-17@48211, several joined by commas")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut position = Self::default();
        for part in text.split(',') {
            let (shard, offset) = part.split_once('@').ok_or(NoPosition)?;
            let shard = shard.parse().map_err(|_| NoPosition)?;
            position.reach(shard, offset.parse().map_err(|_| NoPosition)?);
            if position.0.len() > MOST_SHARDS {
                return Err(NoPosition);
            }
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        let mut position = Position::at(ShardId::users(17), 48_211);
        position.reach(ShardId::products(3), 7);
        position.reach(ShardId::users(17), 40_000);
        let text = position.to_string();
        assert_eq!(text, "users-17@48211,products-3@7");
        assert_eq!(text.parse(), Ok(position));
        assert_eq!("".parse(), Ok(Position::default()));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "users-17",
            "users@3",
            "carts-1@3",
            "users-17@",
            "users-17@-1",
            "users-x@1",
            ",",
            "users-70000@1",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text}");
        }
    }
}
