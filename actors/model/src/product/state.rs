//! A product's bytes in a cut: format 1. Equal products, equal bytes; what no product can be is refused as damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::orders::{Claim, Hold, Mark, MarkKind, Orders};
use super::sale::{Sale, Terms};
use super::stock::{Mode, Stock};
use super::{Product, Text};
use crate::actor::{Actor, Deadlines, StateError};
use crate::codec::{Reader, damaged, put_int, put_money, put_option, put_text, put_uint};
use crate::limits::{HOLDS, LINE_QUANTITY, MARKS, SALE_USERS, TAGS};
use crate::memory::dedup::Dedup;
use crate::memory::requests::{Requests, reason};

const FORMAT: u8 = 1;

impl Actor for Product {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        put_int(out, self.version);
        put_int(out, self.create_time);
        put_int(out, self.update_time);
        encode_text(&self.text, out);
        put_option(out, self.price, put_money);
        encode_stock(&self.stock, out);
        put_option(out, self.sale.as_ref(), encode_sale);
        put_option(out, self.stale_at, put_int);
        encode_orders(&self.orders, out);
        self.events.encode(out);
        self.requests.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let reader = &mut Reader::new(bytes);
        reader.version(FORMAT)?;
        let product = Self {
            version: reader.int()?,
            create_time: reader.int()?,
            update_time: reader.int()?,
            text: decode_text(reader)?,
            price: reader.option(Reader::money)?,
            stock: decode_stock(reader)?,
            sale: reader.option(decode_sale)?,
            stale_at: reader.option(Reader::int)?,
            orders: decode_orders(reader)?,
            events: Dedup::decode(reader)?,
            requests: Requests::decode(reader)?,
        };
        reader.end()?;
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

fn encode_text(text: &Text, out: &mut Vec<u8>) {
    for field in [&text.title, &text.description, &text.category, &text.brand, &text.image_uri] {
        put_text(out, field);
    }
    put_uint(out, text.tags.len() as u64);
    for tag in &text.tags {
        put_text(out, tag);
    }
    put_option(out, text.rating, |out, rating| out.extend_from_slice(&rating.to_bits().to_le_bytes()));
    put_option(out, text.review_count, |out, count| put_int(out, i64::from(count)));
}

fn decode_text(reader: &mut Reader<'_>) -> Result<Text, StateError> {
    let mut text = Text::default();
    for field in
        [&mut text.title, &mut text.description, &mut text.category, &mut text.brand, &mut text.image_uri]
    {
        reader.text()?.clone_into(field);
    }
    for _ in 0..reader.count(TAGS)? {
        text.tags.push(reader.text()?.to_owned());
    }
    text.rating = reader.option(Reader::fixed64)?.map(f64::from_bits);
    if text.rating.is_some_and(|rating| !(1.0..=5.0).contains(&rating)) {
        return Err(damaged("a rating is not 1 to 5"));
    }
    let count = reader.option(Reader::int)?;
    text.review_count =
        count.map(|count| i32::try_from(count).map_err(|_| damaged("too many reviews"))).transpose()?;
    Ok(text)
}

/// `received` is the sum of the others: it is not written.
fn encode_stock(stock: &Stock, out: &mut Vec<u8>) {
    out.push(stock.mode as u8);
    out.push(u8::from(stock.known));
    for pieces in [stock.available, stock.reserved, stock.sold] {
        put_int(out, pieces);
    }
    put_option(out, stock.low_below, put_int);
}

fn decode_stock(reader: &mut Reader<'_>) -> Result<Stock, StateError> {
    let mode = Mode::from_number(reader.byte()?).ok_or_else(|| damaged("no such stock mode"))?;
    let known = reader.flag()?;
    let [available, reserved, sold] = [pieces(reader)?, pieces(reader)?, pieces(reader)?];
    let received = available + reserved + sold;
    Ok(Stock { mode, known, received, available, reserved, sold, low_below: reader.option(Reader::int)? })
}

fn encode_sale(out: &mut Vec<u8>, sale: &Sale) {
    let Terms { price, start, end, quantity, per_user } = sale.terms;
    put_uint(out, sale.id);
    put_money(out, price);
    put_int(out, start);
    for bound in [end, quantity, per_user] {
        put_option(out, bound, put_int);
    }
    out.push(u8::from(sale.running));
    put_int(out, sale.reserved);
    put_int(out, sale.sold);
    put_uint(out, sale.users.len() as u64);
    for (user, pieces) in &sale.users {
        put_text(out, user);
        put_int(out, *pieces);
    }
}

fn decode_sale(reader: &mut Reader<'_>) -> Result<Sale, StateError> {
    let id = reader.uint()?;
    let terms = Terms {
        price: reader.money()?,
        start: reader.int()?,
        end: reader.option(Reader::int)?,
        quantity: reader.option(Reader::int)?,
        per_user: reader.option(Reader::int)?,
    };
    let running = reader.flag()?;
    let [reserved, sold] = [pieces(reader)?, pieces(reader)?];
    let mut sale = Sale { id, terms, running, reserved, sold, users: BTreeMap::new() };
    for _ in 0..reader.count(SALE_USERS)? {
        let user: Box<str> = reader.text()?.into();
        rising(sale.users.last_key_value().map(|(last, _)| &**last), &user)?;
        let taken = pieces(reader)?;
        sale.users.insert(user, taken);
    }
    if sale.within_terms() { Ok(sale) } else { Err(damaged("a sale gave away more than its terms")) }
}

fn encode_orders(orders: &Orders, out: &mut Vec<u8>) {
    put_uint(out, orders.holds().len() as u64);
    for (key, hold) in orders.holds() {
        put_text(out, key);
        put_int(out, hold.quantity);
        put_int(out, hold.created);
        out.push(hold.claim as u8);
        put_option(out, hold.sale, put_uint);
    }
    put_uint(out, orders.marks().len() as u64);
    for (key, mark) in orders.marks() {
        put_text(out, key);
        put_int(out, mark.created);
        match mark.kind {
            MarkKind::Committed => out.push(0),
            MarkKind::Released => out.push(1),
            MarkKind::Refused { reason, available } => {
                out.push(2);
                put_int(out, i64::from(reason as i32));
                put_int(out, available);
            }
        }
    }
}

fn decode_orders(reader: &mut Reader<'_>) -> Result<Orders, StateError> {
    let mut orders = Orders::default();
    for _ in 0..reader.count(HOLDS)? {
        let key: Arc<str> = reader.text()?.into();
        rising(orders.holds().last_key_value().map(|(last, _)| &**last), &key)?;
        let quantity = reader.int()?;
        if !(1..=LINE_QUANTITY).contains(&quantity) {
            return Err(damaged("a hold has no such quantity"));
        }
        let created = reader.int()?;
        let claim = match reader.byte()? {
            0 => Claim::Nothing,
            1 => Claim::Count,
            2 => Claim::Pieces,
            _ => return Err(damaged("no such claim")),
        };
        orders.put_hold(key, Hold { quantity, created, claim, sale: reader.option(Reader::uint)? });
    }
    for _ in 0..reader.count(MARKS)? {
        let key: Arc<str> = reader.text()?.into();
        rising(orders.marks().last_key_value().map(|(last, _)| &**last), &key)?;
        let created = reader.int()?;
        let kind = match reader.byte()? {
            0 => MarkKind::Committed,
            1 => MarkKind::Released,
            2 => MarkKind::Refused { reason: reason(reader)?, available: reader.int()? },
            _ => return Err(damaged("no such mark")),
        };
        orders.put_mark(key, Mark { created, kind });
    }
    Ok(orders)
}

/// Pieces as the fold can have counted them: sums of a few of them stay inside 64 bits.
fn pieces(reader: &mut Reader<'_>) -> Result<i64, StateError> {
    let pieces = reader.int()?;
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
