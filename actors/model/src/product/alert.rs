//! Alerts a product raises: edges of its stock, its price and its sale. SEMANTICS.md section 13.

use souk_proto::v1::alert::{Kind, Severity};

use super::{Change, Face};
use crate::actor::Context;
use crate::key::ActorKey;
use crate::money::Money;
use crate::output::Output;
use crate::time::Millis;

/// Raises what one record changed, in the order of SEMANTICS: stock, price, sale.
pub(super) fn raise(ctx: &mut Context<'_>, key: &ActorKey, change: &Change, after: &Face) {
    let Change { at: time, before, .. } = change;
    let time = *time;
    if let Some(now) = after.stock.known_available() {
        let low_below = after.stock.low_below.unwrap_or(ctx.settings.fold.low_stock_below);
        let id = key.id();
        match stock_edge(before.stock.known_available(), now, low_below) {
            Some(Kind::OutOfStock) => push(ctx, key, Kind::OutOfStock, time, format!("{id} is out of stock")),
            Some(Kind::BackInStock) => {
                push(ctx, key, Kind::BackInStock, time, format!("{id} is back in stock: {now}"))
            }
            Some(kind) => push(ctx, key, kind, time, format!("{id} runs low: {now} left")),
            None => {}
        }
    }
    if let (Some(old), Some(new)) = (before.price, after.price)
        && fell_by_more(old, new, ctx.settings.fold.price_drop_basis_points)
    {
        let percent = i128::from(old.minor - new.minor) * 100 / i128::from(old.minor);
        push(ctx, key, Kind::PriceDrop, time, format!("the price of {} fell by {percent} %", key.id()));
    }
    let running = |face: &Face| face.sale.filter(|(_, running, _)| *running).map(|(id, ..)| id);
    if running(after).is_some() && running(after) != running(before) {
        push(ctx, key, Kind::SaleStarted, time, format!("a sale of {} started", key.id()));
    }
}

/// Nothing was heard of the stock up to `deadline`.
pub(super) fn stale(ctx: &mut Context<'_>, key: &ActorKey, deadline: Millis) {
    push(
        ctx,
        key,
        Kind::StaleStock,
        deadline,
        format!("nothing was heard of the stock of {} for long", key.id()),
    );
}

fn push(ctx: &mut Context<'_>, key: &ActorKey, kind: Kind, time: Millis, message: String) {
    let severity = match kind {
        Kind::OutOfStock => Severity::Critical,
        Kind::LowStock | Kind::StaleStock => Severity::Warning,
        _ => Severity::Info,
    };
    ctx.out.push(Output::Alert { actor: key.clone(), kind, severity, message, time });
}

/// What going from `before` (none: never said) to `now` pieces is worth telling.
fn stock_edge(before: Option<i64>, now: i64, low_below: i64) -> Option<Kind> {
    match (before, now) {
        (Some(0), 1..) => Some(Kind::BackInStock),
        (Some(0), _) => None,
        (_, 0) => Some(Kind::OutOfStock),
        (before, _) if now < low_below && before.is_none_or(|before| before >= low_below) => {
            Some(Kind::LowStock)
        }
        _ => None,
    }
}

fn fell_by_more(old: Money, new: Money, basis_points: i64) -> bool {
    let fall = i128::from(old.minor) - i128::from(new.minor);
    old.currency == new.currency
        && fall > 0
        && fall * 10_000 > i128::from(old.minor) * i128::from(basis_points)
}
