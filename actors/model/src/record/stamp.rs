//! Stamps: what intake and bridges put on a record.

use souk_proto::journal::v1 as journal;

use crate::limits::STAMPS;
use crate::money::{Currency, MAX_AMOUNT};
use crate::record::check::{self, Checked, each};
use crate::verdict::Reason;

/// Stamps of products: at most one each, which the fold relies on by taking the first.
pub(super) fn stamps(stamps: &[journal::Stamp]) -> Checked {
    check::count("stamps", stamps.len(), STAMPS)?;
    each("stamps", stamps, stamp)
}

fn stamp(stamp: &journal::Stamp) -> Checked {
    check::id("product_id", &stamp.product_id)?;
    check::optional_text("title", &stamp.title)?;
    check::optional_text("category", &stamp.category)?;
    check::optional_text("brand", &stamp.brand)?;
    if !stamp.currency_code.is_empty() {
        currency("currency_code", &stamp.currency_code)?;
    }
    check::range("price_minor_units", stamp.price_minor_units, 0, MAX_AMOUNT)
}

/// Where a bridge took a record from.
pub(super) fn bridge(bridge: &journal::BridgeStamp) -> Checked {
    check::text("bridge.source", &bridge.source)
}

/// The code of a known currency.
pub(super) fn currency(field: &'static str, code: &str) -> Checked {
    match Currency::parse(code) {
        Some(_) => Ok(()),
        None => Err(check::refuse(Reason::CurrencyUnknown, field, "use an ISO 4217 code, such as EUR")),
    }
}
