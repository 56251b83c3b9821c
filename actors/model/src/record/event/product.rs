//! What the systems that own products report of them; the commands on products go through the same checks.

use souk_proto::v1;

use crate::limits::{LABEL_BYTES, LINE_QUANTITY, MASK_PATHS, PIECES, TAGS, TEXT_BYTES};
use crate::record::check::{self, Checked, invalid, missing, within};
use crate::record::key::product_id;
use crate::record::time;
use crate::verdict::Reason;

pub(super) fn product_step(step: &v1::ProductStep) -> Checked {
    let Some(product) = &step.product else { return Err(missing("product")) };
    within("product", name(product))?;
    within("product", self::product(product))?;
    mask(step.update_mask.as_ref())
}

pub(super) fn stock_step(step: &v1::StockStep) -> Checked {
    use v1::stock_step::Change;
    check::id("product_id", &step.product_id)?;
    match step.change {
        Some(Change::Delta(delta)) => self::delta(delta)?,
        Some(Change::Level(level)) => self::level(level)?,
        None => return Err(missing("change")),
    }
    check::optional_text("reason", &step.reason)
}

pub(in crate::record) fn delta(delta: i64) -> Checked {
    check::range("delta", delta, -PIECES, PIECES)
}

pub(in crate::record) fn level(level: i64) -> Checked {
    check::range("level", level, 0, PIECES)
}

fn name(product: &v1::Product) -> Checked {
    if product.name.is_empty() {
        return Err(missing("name"));
    }
    let id = product_id(&product.name).ok_or_else(|| invalid("name", "is products/ and an id"))?;
    check::id("name", id)
}

/// A product's fields but its name, which a command takes from its actor.
pub(in crate::record) fn product(product: &v1::Product) -> Checked {
    check::optional_text("title", &product.title)?;
    description(&product.description)?;
    check::optional_text("category", &product.category)?;
    check::optional_text("brand", &product.brand)?;
    check::count("tags", product.tags.len(), TAGS)?;
    check::each("tags", &product.tags, |tag| check::bounded_text("", tag, LABEL_BYTES))?;
    check::optional_text("image_uri", &product.image_uri)?;
    check::optional_money("price", product.price.as_ref())?;
    if let Some(stock) = &product.stock {
        within("stock", self::stock(stock))?;
    }
    if let Some(sale) = &product.sale {
        within("sale", self::sale(sale))?;
    }
    if let Some(rating) = product.rating {
        check::float_range("rating", rating, 1.0, 5.0)?;
    }
    match product.review_count {
        Some(reviews) => check::range("review_count", i64::from(reviews), 0, i64::from(i32::MAX)),
        None => Ok(()),
    }
}

/// Paragraphs are the one text with line ends.
fn description(text: &str) -> Checked {
    if text.len() > TEXT_BYTES {
        let message = format!("is at most {TEXT_BYTES} bytes");
        return Err(check::refuse(Reason::FieldInvalid, "description", message));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid("description", "must not hold control characters but line ends and tabs"));
    }
    Ok(())
}

/// What a request may set of a stock; the rest is the fold's and ignored.
fn stock(stock: &v1::Stock) -> Checked {
    check::known::<v1::stock::Mode>("mode", stock.mode)?;
    if let Some(available) = stock.available {
        check::range("available", available, 0, PIECES)?;
    }
    match stock.low_below {
        Some(low_below) => check::range("low_below", low_below, 0, PIECES),
        None => Ok(()),
    }
}

fn sale(sale: &v1::Sale) -> Checked {
    check::money("price", sale.price.as_ref())?;
    sale_terms(sale.start_time.as_ref(), sale.end_time.as_ref(), sale.quantity, sale.per_user)
}

/// When a sale runs and how much of it there is.
pub(in crate::record) fn sale_terms(
    start: Option<&prost_types::Timestamp>,
    end: Option<&prost_types::Timestamp>,
    quantity: Option<i64>,
    per_user: Option<i32>,
) -> Checked {
    let start = start.map(|start| time::millis("start_time", start)).transpose()?;
    let end = end.map(|end| time::millis("end_time", end)).transpose()?;
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(check::refuse(Reason::ValueOutOfRange, "end_time", "must be after start_time"));
    }
    if let Some(quantity) = quantity {
        check::range("quantity", quantity, 1, PIECES)?;
    }
    match per_user {
        Some(per_user) => check::range("per_user", i64::from(per_user), 1, LINE_QUANTITY),
        None => Ok(()),
    }
}

/// Which fields an update takes: few and short here; the product says which it knows.
pub(in crate::record) fn mask(mask: Option<&prost_types::FieldMask>) -> Checked {
    let Some(mask) = mask else { return Ok(()) };
    check::count("update_mask", mask.paths.len(), MASK_PATHS)?;
    check::each("update_mask.paths", &mask.paths, |path| check::text("", path))
}
