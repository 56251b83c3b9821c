//! I2: received = available + reserved + sold and available ≥ 0, for every product of every fold, at any time.

use souk_model::journal::ShardId;
use souk_model::shard::Shard;

use super::Violation;
use crate::subject;

pub fn check(shard: ShardId, fold: &Shard) -> Result<(), Violation> {
    let mut found = Ok(());
    subject::each_stock(fold, |product, stock| {
        let parts = stock.available + stock.reserved + stock.sold;
        if found.is_ok() && (stock.available < 0 || stock.reserved < 0 || parts != stock.received) {
            found = Err(Violation::new("I2", format!("{shard} {product}: {stock:?}")));
        }
    });
    found
}
