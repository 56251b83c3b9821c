//! I3: an order reaches exactly one final state, never two different ones for anybody, and none is open in the end.

use std::collections::BTreeMap;

use souk_model::journal::ShardId;
use souk_model::shard::Shard;

use super::Violation;
use crate::subject::{self, OrderEnd};

#[derive(Debug, Default)]
pub struct Orders {
    finals: BTreeMap<(String, String), OrderEnd>,
}

impl Orders {
    /// Somebody was told that an order ended so.
    pub fn ended(&mut self, user: &str, order: &str, end: OrderEnd) -> Result<(), Violation> {
        let first = *self.finals.entry((user.to_owned(), order.to_owned())).or_insert(end);
        if first == end {
            return Ok(());
        }
        Err(Violation::new("I3", format!("{user} order {order}: once {first:?}, once {end:?}")))
    }

    /// What everybody was told is what stands, and nothing is open any more.
    pub fn stand(&mut self, shard: ShardId, fold: &Shard) -> Result<(), Violation> {
        let mut found = Ok(());
        subject::each_order(fold, |user, order, state| {
            if found.is_err() {
                return;
            }
            found = match state.end() {
                Some(end) => self.ended(user, order, end),
                None => Err(Violation::new("I3", format!("{shard} {user} order {order} is still {state:?}"))),
            };
        });
        found?;
        match subject::unsettled(fold) {
            open if open.is_empty() => Ok(()),
            open => {
                Err(Violation::new("I3", format!("{shard}: sagas are still under way: {}", open.join(", "))))
            }
        }
    }
}
