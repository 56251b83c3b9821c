//! Reported steps of carts and orders, and the lines both are made of.

use souk_proto::v1;

use crate::limits::{CART_LINES, LINE_QUANTITY};
use crate::record::check::{self, Checked, missing, within};

pub(super) fn cart_step(step: &v1::CartStep) -> Checked {
    use v1::cart_step::Action;
    let action = check::said::<Action>("action", step.action)?;
    check::optional_id("cart_id", &step.cart_id)?;
    check::optional_money("total", step.total.as_ref())?;
    match (action, &step.line) {
        (Action::Clear | Action::View, _) => Ok(()), // a line is ignored
        (_, Some(line)) => within("line", self::line(line)),
        (_, None) => Err(missing("line")),
    }
}

pub(super) fn order_step(step: &v1::OrderStep) -> Checked {
    use v1::order_step::Stage;
    let stage = check::said::<Stage>("stage", step.stage)?;
    check::optional_id("order_id", &step.order_id)?;
    check::optional_id("cart_id", &step.cart_id)?;
    check::optional_text("payment_method", &step.payment_method)?;
    check::optional_money("total", step.total.as_ref())?;
    lines(&step.lines)?;
    if matches!(stage, Stage::Placed | Stage::Paid) && step.lines.is_empty() && step.total.is_none() {
        return Err(missing("total"));
    }
    Ok(())
}

/// Lines of an order or a refund. Whether they are of one currency is asked of those that count, so by the fold.
pub(in crate::record) fn lines(lines: &[v1::Line]) -> Checked {
    check::count("lines", lines.len(), CART_LINES)?;
    check::each("lines", lines, line)
}

fn line(line: &v1::Line) -> Checked {
    check::id("product_id", &line.product_id)?;
    if let Some(quantity) = line.quantity {
        check::range("quantity", i64::from(quantity), 1, LINE_QUANTITY)?;
    }
    check::optional_text("title", &line.title)?;
    check::optional_text("category", &line.category)?;
    check::optional_text("brand", &line.brand)?;
    check::optional_money("unit_price", line.unit_price.as_ref()).map(drop)
}
