//! What a product_step or an UpsertProduct wants changed: drafted as a whole, and held against the product's state, before any of
//! it is applied. Bounds of single fields were checked when the record was decoded.

use prost_types::FieldMask;
use souk_proto::v1;

use super::sale::Terms;
use super::stock::{Mode, Stock, StockChange};
use super::{Product, Text};
use crate::money::Money;
use crate::time::{Millis, from_timestamp};
use crate::verdict::{Reason, Refusal};

/// Which fields of a message count.
#[derive(Debug, Clone, Copy)]
struct Mask<'a>(Option<&'a [String]>);

impl<'a> Mask<'a> {
    fn of(mask: Option<&'a FieldMask>) -> Self {
        Self(mask.map(|mask| mask.paths.as_slice()).filter(|paths| !paths.is_empty()))
    }

    /// Named, or part of something named; without a mask: whether it is set.
    fn takes(self, path: &str, set: bool) -> bool {
        let Some(paths) = self.0 else { return set };
        let whole = path.split_once('.').map_or(path, |(whole, _)| whole);
        paths.iter().any(|named| named == path || named == whole)
    }
}

/// The product as it would be.
#[derive(Debug)]
pub(super) struct Draft {
    text: Text,
    price: Option<Money>,
    stock: Stock,
    /// The level of the stock was said, whether or not it is another.
    heard_of_stock: bool,
    sale: SaleWish,
}

/// What is to become of the sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SaleWish {
    Keep,
    End,
    Start(Terms),
}

impl Draft {
    /// Drafts `product` with the masked fields of `message`. `path` is where the message stands, for refusals.
    pub(super) fn new(
        product: &Product,
        message: &v1::Product,
        mask: Option<&FieldMask>,
        path: &str,
        log_time: Millis,
    ) -> Result<Self, Refusal> {
        let mask = Mask::of(mask);
        let mut draft = Self {
            text: product.text.clone(),
            price: product.price,
            stock: product.stock,
            heard_of_stock: false,
            sale: SaleWish::Keep,
        };
        draft.take_text(message, mask);
        if mask.takes("price", message.price.is_some()) {
            let price =
                message.price.as_ref().map(|price| Money::read(&format!("{path}.price"), Some(price)));
            draft.price = price.transpose()?;
        }
        draft.take_stock(message.stock.as_ref(), mask, path)?;
        if mask.takes("sale", message.sale.is_some()) {
            draft.sale = sale_wish(product, message.sale.as_ref(), &format!("{path}.sale."), log_time)?;
        }
        let terms = match &draft.sale {
            SaleWish::Keep => product.sale.as_ref().map(|sale| sale.terms()),
            SaleWish::End => None,
            SaleWish::Start(terms) => Some(terms),
        };
        same_currency(draft.price, terms.map(|terms| terms.price), &format!("{path}.price"))?;
        Ok(draft)
    }

    fn take_text(&mut self, message: &v1::Product, mask: Mask<'_>) {
        let text = &mut self.text;
        for (name, field, value) in [
            ("title", &mut text.title, &message.title),
            ("description", &mut text.description, &message.description),
            ("category", &mut text.category, &message.category),
            ("brand", &mut text.brand, &message.brand),
            ("image_uri", &mut text.image_uri, &message.image_uri),
        ] {
            if mask.takes(name, !value.is_empty()) {
                field.clone_from(value);
            }
        }
        if mask.takes("tags", !message.tags.is_empty()) {
            text.tags.clone_from(&message.tags);
        }
        if mask.takes("rating", message.rating.is_some()) {
            text.rating = message.rating;
        }
        if mask.takes("review_count", message.review_count.is_some()) {
            text.review_count = message.review_count;
        }
    }

    fn take_stock(&mut self, message: Option<&v1::Stock>, mask: Mask<'_>, path: &str) -> Result<(), Refusal> {
        let mode = message.and_then(|stock| Mode::from_proto(stock.mode));
        if mask.takes("stock.mode", mode.is_some()) {
            self.stock.mode = mode.unwrap_or_default();
        }
        let low_below = message.and_then(|stock| stock.low_below);
        if mask.takes("stock.low_below", low_below.is_some()) {
            self.stock.low_below = low_below;
        }
        // An absent level is no change even when named: pieces do not vanish for being left out.
        let level = message.and_then(|stock| stock.available);
        if let Some(level) = level.filter(|_| mask.takes("stock.available", true)) {
            self.stock.update(&format!("{path}.stock.available"), StockChange::Level(level))?;
            self.heard_of_stock = true;
        }
        Ok(())
    }
}

impl Product {
    /// Makes the product as drafted. Says whether its text changed.
    pub(super) fn adopt(&mut self, draft: Draft, offset: u64, log_time: Millis, stale_after: Millis) -> bool {
        let described = self.text != draft.text;
        self.text = draft.text;
        self.price = draft.price;
        self.stock = draft.stock;
        if draft.heard_of_stock {
            self.stale_at = Some(log_time.saturating_add(stale_after));
        }
        self.change_sale(draft.sale, offset, log_time);
        described
    }
}

fn sale_wish(
    product: &Product,
    message: Option<&v1::Sale>,
    path: &str,
    log_time: Millis,
) -> Result<SaleWish, Refusal> {
    let Some(message) = message else { return Ok(SaleWish::End) };
    let now = product.sale.as_ref().map(|sale| *sale.terms());
    let terms = Terms {
        price: Money::read(&format!("{path}price"), message.price.as_ref())?,
        // "At once", said again of a sale that is there, is that sale.
        start: message
            .start_time
            .as_ref()
            .map_or_else(|| now.map_or(log_time, |terms| terms.start), from_timestamp),
        end: message.end_time.as_ref().map(from_timestamp),
        quantity: message.quantity,
        per_user: message.per_user.map(i64::from),
    };
    if now == Some(terms) {
        return Ok(SaleWish::Keep);
    }
    terms.check(path, log_time)?;
    Ok(SaleWish::Start(terms))
}

/// A sale is in the currency of its product's own price, so it needs one.
pub(super) fn same_currency(price: Option<Money>, sale: Option<Money>, field: &str) -> Result<(), Refusal> {
    match (price, sale) {
        (Some(price), Some(sale)) if price.currency != sale.currency => {
            Err(Refusal::new(Reason::CurrencyMismatch, field, "a product and its sale have one currency"))
        }
        (None, Some(_)) => Err(Refusal::missing(field, "a sale needs the product's own price to go back to")),
        _ => Ok(()),
    }
}
