//! A product's bytes in a cut: format 1. Equal products, equal bytes; what no product can be is refused as damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::orders::{Claim, Hold, Mark, MarkKind, Orders};
use super::sale::{Sale, Terms};
use super::stock::{Mode, Stock};
use super::{Product, Text};
use crate::actor::{Actor, Deadlines, StateError};
use crate::codec::{Reader, Writer, damaged};
use crate::limits::{HOLDS, LINE_QUANTITY, MARKS, SALE_USERS, TAGS};
use crate::memory::dedup::Dedup;
use crate::memory::requests::{Requests, put_reason, reason};

const FORMAT: u8 = 1;

impl Actor for Product {
    fn encode(&self, out: &mut Vec<u8>) {
        let w = &mut Writer::new(out);
        w.byte(FORMAT);
        w.int(self.version);
        w.time(self.create_time);
        w.time(self.update_time);
        encode_text(&self.text, w);
        w.option(self.price, Writer::money);
        encode_stock(&self.stock, w);
        w.option(self.sale.as_ref(), encode_sale);
        w.option(self.stale_at, Writer::time);
        encode_orders(&self.orders, w);
        self.events.encode(w);
        self.requests.encode(w);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let r = &mut Reader::new(bytes);
        r.version(FORMAT)?;
        let product = Self {
            version: r.int()?,
            create_time: r.time()?,
            update_time: r.time()?,
            text: decode_text(r)?,
            price: r.option(Reader::money)?,
            stock: decode_stock(r)?,
            sale: r.option(decode_sale)?,
            stale_at: r.option(Reader::time)?,
            orders: decode_orders(r)?,
            events: Dedup::decode(r)?,
            requests: Requests::decode(r)?,
        };
        r.end()?;
        if product.version < 0 || product.orders.held() != product.stock.reserved {
            return Err(damaged("the holds of a product are not its reserved pieces"));
        }
        Ok(product)
    }

    fn deadlines(&self) -> Deadlines {
        Deadlines { watermark: None, log_time: self.deadline() }
    }

    fn is_empty(&self) -> bool {
        !self.exists() && self.orders.is_empty() && self.events.is_empty() && self.requests.is_empty()
    }
}

fn encode_text(text: &Text, w: &mut Writer<'_>) {
    for field in [&text.title, &text.description, &text.category, &text.brand, &text.image_uri] {
        w.text(field);
    }
    w.count(text.tags.len());
    for tag in &text.tags {
        w.text(tag);
    }
    w.option(text.rating, |w, rating: f64| w.fixed64(rating.to_bits()));
    w.option(text.review_count, |w, count| w.int(i64::from(count)));
}

fn decode_text(r: &mut Reader<'_>) -> Result<Text, StateError> {
    let mut text = Text::default();
    for field in
        [&mut text.title, &mut text.description, &mut text.category, &mut text.brand, &mut text.image_uri]
    {
        r.text()?.clone_into(field);
    }
    for _ in 0..r.count(TAGS)? {
        text.tags.push(r.text()?.to_owned());
    }
    text.rating = r.option(Reader::fixed64)?.map(f64::from_bits);
    if text.rating.is_some_and(|rating| !(1.0..=5.0).contains(&rating)) {
        return Err(damaged("a rating is not 1 to 5"));
    }
    let count = r.option(Reader::int)?;
    text.review_count =
        count.map(|count| i32::try_from(count).map_err(|_| damaged("too many reviews"))).transpose()?;
    Ok(text)
}

/// `received` is the sum of the others: it is not written.
fn encode_stock(stock: &Stock, w: &mut Writer<'_>) {
    w.byte(stock.mode as u8);
    w.flag(stock.known);
    for pieces in [stock.available, stock.reserved, stock.sold] {
        w.int(pieces);
    }
    w.option(stock.low_below, Writer::int);
}

fn decode_stock(r: &mut Reader<'_>) -> Result<Stock, StateError> {
    let mode = Mode::from_number(r.byte()?).ok_or_else(|| damaged("no such stock mode"))?;
    let known = r.flag()?;
    let [available, reserved, sold] = [pieces(r)?, pieces(r)?, pieces(r)?];
    let received = available + reserved + sold;
    Ok(Stock { mode, known, received, available, reserved, sold, low_below: r.option(Reader::int)? })
}

fn encode_sale(w: &mut Writer<'_>, sale: &Sale) {
    let Terms { price, start, end, quantity, per_user } = sale.terms;
    w.uint(sale.id);
    w.money(price);
    w.time(start);
    w.option(end, Writer::time);
    for bound in [quantity, per_user] {
        w.option(bound, Writer::int);
    }
    w.flag(sale.running);
    w.int(sale.reserved);
    w.int(sale.sold);
    w.count(sale.users.len());
    for (user, pieces) in &sale.users {
        w.text(user);
        w.int(*pieces);
    }
}

fn decode_sale(r: &mut Reader<'_>) -> Result<Sale, StateError> {
    let id = r.uint()?;
    let terms = Terms {
        price: r.money()?,
        start: r.time()?,
        end: r.option(Reader::time)?,
        quantity: r.option(Reader::int)?,
        per_user: r.option(Reader::int)?,
    };
    let running = r.flag()?;
    let [reserved, sold] = [pieces(r)?, pieces(r)?];
    let mut sale = Sale { id, terms, running, reserved, sold, users: BTreeMap::new() };
    for _ in 0..r.count(SALE_USERS)? {
        let user: Box<str> = r.text()?.into();
        rising(sale.users.last_key_value().map(|(last, _)| &**last), &user)?;
        let taken = pieces(r)?;
        sale.users.insert(user, taken);
    }
    if sale.within_terms() { Ok(sale) } else { Err(damaged("a sale gave away more than its terms")) }
}

fn encode_orders(orders: &Orders, w: &mut Writer<'_>) {
    w.count(orders.holds().len());
    for (key, hold) in orders.holds() {
        w.text(key);
        w.int(hold.quantity);
        w.time(hold.created);
        w.byte(hold.claim as u8);
        w.option(hold.sale, Writer::uint);
    }
    w.count(orders.marks().len());
    for (key, mark) in orders.marks() {
        w.text(key);
        w.time(mark.created);
        match mark.kind {
            MarkKind::Committed => w.byte(0),
            MarkKind::Released => w.byte(1),
            MarkKind::Refused { reason, available } => {
                w.byte(2);
                put_reason(w, reason);
                w.int(available);
            }
        }
    }
}

fn decode_orders(r: &mut Reader<'_>) -> Result<Orders, StateError> {
    let mut orders = Orders::default();
    for _ in 0..r.count(HOLDS)? {
        let key: Arc<str> = r.text()?.into();
        rising(orders.holds().last_key_value().map(|(last, _)| &**last), &key)?;
        let quantity = r.int()?;
        if !(1..=LINE_QUANTITY).contains(&quantity) {
            return Err(damaged("a hold has no such quantity"));
        }
        let created = r.time()?;
        let claim = match r.byte()? {
            0 => Claim::Nothing,
            1 => Claim::Count,
            2 => Claim::Pieces,
            _ => return Err(damaged("no such claim")),
        };
        orders.put_hold(key, Hold { quantity, created, claim, sale: r.option(Reader::uint)? });
    }
    for _ in 0..r.count(MARKS)? {
        let key: Arc<str> = r.text()?.into();
        rising(orders.marks().last_key_value().map(|(last, _)| &**last), &key)?;
        let created = r.time()?;
        let kind = match r.byte()? {
            0 => MarkKind::Committed,
            1 => MarkKind::Released,
            2 => MarkKind::Refused { reason: reason(r)?, available: r.int()? },
            _ => return Err(damaged("no such mark")),
        };
        orders.put_mark(key, Mark { created, kind });
    }
    Ok(orders)
}

/// Pieces as the fold can have counted them: sums of a few of them stay inside 64 bits.
fn pieces(r: &mut Reader<'_>) -> Result<i64, StateError> {
    let pieces = r.int()?;
    if (0..i64::MAX / 8).contains(&pieces) {
        Ok(pieces)
    } else {
        Err(damaged("more pieces than there can be"))
    }
}

/// Keys stand in order, each once: a map has one encoding.
fn rising(last: Option<&str>, next: &str) -> Result<(), StateError> {
    if last.is_none_or(|last| last < next) { Ok(()) } else { Err(damaged("keys out of order")) }
}
