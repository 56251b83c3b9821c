//! The recount: everything the fold should have come to, computed a second time from the journals alone.
//!
//! Written from `actors/model/SEMANTICS.md` without the fold, and sharing nothing with it but the proto types, so that
//! a mistake of one is not a mistake of both. Clear before fast: it sorts, loops and sums. [`recount`] takes the
//! journals, [`Recount`] is what they come to, [`compare`] says where something else came to another result.

use std::collections::BTreeMap;

use thiserror::Error;

mod abandonment;
mod cart;
mod checkout;
pub mod compare;
mod currency;
mod dedup;
mod fact;
mod home;
mod input;
mod kind;
mod measure;
mod merge;
mod metric;
mod order;
mod person;
mod product;
mod products;
mod quantile;
mod request;
mod result;
mod session;
mod settings;
mod time;
mod users;
mod validate;
mod verdict;
mod window;

pub use input::{Input, Journal, JournalRecord, Partition, ShardName};
pub use measure::{MetricValue, Value};
pub use metric::Ledger;
pub use order::OrderState;
pub use product::AlertKind;
pub use products::AlertView;
pub use result::{CartLineView, Instance, OrderView, ProductView, Recount, SessionView, UserView, Values};
pub use verdict::{Totals, Verdict};
pub use window::Span;

use home::Home;
use products::ProductShard;
use result::{Counted, product_view, user_view};
use users::UserShard;

/// The settings a recount was to start from are none.
#[derive(Debug, Error)]
#[error("settings: {0}")]
pub struct RecountError(String);

/// Recounts every shard, and over all of them every metric.
///
/// # Errors
/// When the first settings cannot be read.
pub fn recount(input: &Input) -> Result<Recount, RecountError> {
    let mut recount = Recount::default();
    for partition in &input.partitions {
        let home = Home::of(partition.shard, input);
        match partition.shard.journal {
            Journal::Users => {
                let shard = UserShard::fold(partition, &input.settings, home).map_err(RecountError)?;
                recount.take_users(partition.shard, shard);
            }
            Journal::Products => {
                let shard = ProductShard::fold(partition, &input.settings, home).map_err(RecountError)?;
                recount.take_products(partition.shard, shard);
            }
        }
    }
    Ok(recount)
}

impl Recount {
    fn take_users(&mut self, name: ShardName, shard: UserShard) {
        self.take_verdicts(name, &shard.verdicts);
        let oldest = shard.clock.floor;
        for (key, person) in &shard.people {
            for order in &person.orders {
                self.finals.insert((key.clone(), order.id.clone()), order.finals.clone());
            }
            self.users.insert(key.clone(), user_view(person, oldest));
        }
        for (metric, count) in shard.book.0 {
            self.ledgers.insert((name, metric.clone()), count.ledger);
            let watermark = shard.clock.high - count.metric.lateness;
            let new = Counted { metric: count.metric, rows: Vec::new(), watermark };
            let counted = self.counted.entry(metric).or_insert(new);
            counted.rows.extend(count.rows);
            counted.watermark = counted.watermark.max(watermark);
        }
    }

    fn take_products(&mut self, name: ShardName, shard: ProductShard) {
        self.take_verdicts(name, &shard.verdicts);
        self.products
            .extend(shard.products.iter().map(|(key, product)| (key.clone(), product_view(product))));
        self.alerts.insert(name, shard.alerts);
    }

    fn take_verdicts(&mut self, name: ShardName, verdicts: &BTreeMap<u64, Verdict>) {
        let mut totals = Totals::default();
        for (offset, verdict) in verdicts {
            totals.add(*verdict);
            self.verdicts.insert((name, *offset), *verdict);
        }
        self.totals.insert(name, totals);
    }
}
