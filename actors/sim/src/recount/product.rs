//! One product (section 12) and the holds on its stock (section 8).

use std::collections::BTreeMap;

use souk_proto::v1::stock::Mode;
use souk_proto::v1::{ErrorReason, Product as Wire};

use super::fact::Amount;
use super::settings::{Ppm, Settings};
use super::time::{HOUR, MINUTE, Ms};

/// What an alert tells.
pub use souk_proto::v1::alert::Kind as AlertKind;

/// What a product answered an order, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Pieces are held.
    Held(i64),
    /// Granted without holding any; so many are counted when it is sold.
    Counted(i64),
    /// Granted where nothing is counted.
    Promised,
    /// Refused, sold or given back: a mark.
    Over,
}

/// One product.
#[derive(Debug, Clone, Default)]
pub(super) struct Product {
    pub(super) version: i64,
    pub(super) title: String,
    pub(super) price: Option<Amount>,
    pub(super) mode: i32,
    pub(super) received: i64,
    /// None until anything was said of the stock.
    pub(super) available: Option<i64>,
    pub(super) reserved: i64,
    pub(super) sold: i64,
    pub(super) low_below: Option<i64>,
    pub(super) holds: BTreeMap<(String, String), (Hold, Ms)>,
    pub(super) stale_at: Option<Ms>,
    pub(super) sale: Option<Sale>,
    /// Pieces held or sold while a sale ran.
    pub(super) taken: Vec<Taken>,
}

/// Pieces one order took in a sale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    /// Position of the record that announced the sale.
    sale: u64,
    order: (String, String),
    pieces: i64,
    sold: bool,
}

/// A sale announced or running.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sale {
    pub(super) currency: String,
    pub(super) start: Ms,
    pub(super) end: Option<Ms>,
    pub(super) running: bool,
    /// Pieces there are in it, and for one user.
    pub(super) quantity: Option<i64>,
    pub(super) per_user: Option<i64>,
    /// Position of the record that announced it.
    pub(super) offset: u64,
}

impl Sale {
    /// When it starts, or else ends.
    pub(super) fn deadline(&self) -> Option<Ms> {
        if self.running { self.end } else { Some(self.start) }
    }
}

/// How the stock is to change.
#[derive(Debug, Clone, Copy)]
pub(super) enum Restock {
    Delta(i64),
    Level(i64),
}

impl Product {
    fn mode(&self) -> Mode {
        Mode::try_from(self.mode).unwrap_or(Mode::Unspecified)
    }

    /// Takes pieces in or out; never below none.
    pub(super) fn restock(
        &mut self,
        change: Restock,
        log: Ms,
        settings: &Settings,
    ) -> Result<(), ErrorReason> {
        let before = self.available.unwrap_or(0);
        let after = match change {
            Restock::Level(level) => level,
            Restock::Delta(delta) => before.checked_add(delta).ok_or(ErrorReason::ValueOutOfRange)?,
        };
        if after < 0 {
            return Err(ErrorReason::ValueOutOfRange);
        }
        self.received += after - before;
        self.available = Some(after);
        self.stale_at = Some(log + settings.stale_stock_after);
        Ok(())
    }

    /// Takes the masked fields of a product, or every field that is set.
    pub(super) fn update(
        &mut self,
        new: &Wire,
        mask: &[String],
        log: Ms,
        settings: &Settings,
    ) -> Result<(), ErrorReason> {
        let named = |field: &str| mask.iter().any(|path| path == field);
        if named("title") || (mask.is_empty() && !new.title.is_empty()) {
            self.title = new.title.clone();
        }
        if named("price") || (mask.is_empty() && new.price.is_some()) {
            self.price = new.price.as_ref().and_then(super::person::amount);
        }
        let stock = new.stock.unwrap_or_default();
        let whole = named("stock") || (mask.is_empty() && new.stock.is_some());
        let cleared = |field: &str| named(field) || named("stock");
        if cleared("stock.mode") || (whole && stock.mode() != Mode::Unspecified) {
            self.mode = stock.mode;
        }
        if cleared("stock.low_below") || (whole && stock.low_below.is_some()) {
            self.low_below = stock.low_below;
        }
        if let Some(level) = stock.available.filter(|_| whole || named("stock.available")) {
            self.restock(Restock::Level(level), log, settings)?;
        }
        self.check_sale()
    }

    /// A sale has a price to go back to, in its own currency.
    pub(super) fn check_sale(&self) -> Result<(), ErrorReason> {
        match (&self.sale, &self.price) {
            (Some(_), None) => Err(ErrorReason::FieldMissing),
            (Some(sale), Some(price)) if sale.currency != price.currency => {
                Err(ErrorReason::CurrencyMismatch)
            }
            _ => Ok(()),
        }
    }

    /// Whether a reader sees a difference.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let seen = |product: &Self| {
            let Self { title, price, mode, received, available, reserved, sold, low_below, sale, .. } =
                product.clone();
            let mode = if mode == 0 { Mode::Track.into() } else { mode };
            (title, price, mode, received, available, reserved, sold, low_below, sale)
        };
        seen(self) != seen(other)
    }

    /// An order asks for pieces.
    pub(super) fn reserve(&mut self, order: (String, String), quantity: i64, created: Ms, log: Ms) {
        if log - created > HOUR || self.holds.contains_key(&order) {
            return;
        }
        let available = self.available.unwrap_or(0);
        let short = matches!(self.mode(), Mode::ReserveOnOrder | Mode::ReserveOnCart) && available < quantity;
        if !short && !self.sale_allows(&order.0, quantity) {
            return self.refuse(order, created);
        }
        if let Some(sale) = self.sale.as_ref().filter(|sale| sale.running && !short) {
            self.taken.push(Taken { sale: sale.offset, order: order.clone(), pieces: quantity, sold: false });
        }
        let hold = match self.mode() {
            Mode::None => Hold::Promised,
            Mode::Track | Mode::Unspecified => Hold::Counted(quantity),
            Mode::ReserveOnOrder | Mode::ReserveOnCart if available >= quantity => {
                self.available = Some(available - quantity);
                self.reserved += quantity;
                Hold::Held(quantity)
            }
            Mode::ReserveOnOrder | Mode::ReserveOnCart => Hold::Over,
        };
        self.holds.insert(order, (hold, created));
    }

    /// Whether a running sale has so many pieces left, for this user too.
    fn sale_allows(&self, user: &str, quantity: i64) -> bool {
        let Some(sale) = self.sale.as_ref().filter(|sale| sale.running) else { return true };
        let taken = |whose: &dyn Fn(&str) -> bool| -> i64 {
            let mine = self.taken.iter().filter(|taken| taken.sale == sale.offset && whose(&taken.order.0));
            mine.map(|taken| taken.pieces).sum()
        };
        let within = |limit: Option<i64>, taken: i64| limit.is_none_or(|limit| taken + quantity <= limit);
        within(sale.quantity, taken(&|_| true)) && within(sale.per_user, taken(&|other| other == user))
    }

    /// Whatever this order asks for is refused from now on.
    pub(super) fn refuse(&mut self, order: (String, String), created: Ms) {
        self.holds.insert(order, (Hold::Over, created));
    }

    /// The order is confirmed.
    pub(super) fn commit(&mut self, order: &(String, String)) {
        let Some((hold, _)) = self.holds.get_mut(order) else { return };
        match std::mem::replace(hold, Hold::Over) {
            Hold::Held(pieces) => {
                self.reserved -= pieces;
                self.sold += pieces;
            }
            Hold::Counted(quantity) => {
                let available = self.available.unwrap_or(0);
                let from_stock = quantity.min(available);
                if from_stock > 0 {
                    self.available = Some(available - from_stock);
                }
                self.received += quantity - from_stock;
                self.sold += quantity;
            }
            Hold::Promised | Hold::Over => {}
        }
        for taken in self.taken.iter_mut().filter(|taken| taken.order == *order) {
            taken.sold = true;
        }
        let all_sold = |sale: &Sale| {
            let sold = self.taken.iter().filter(|taken| taken.sale == sale.offset && taken.sold);
            sale.quantity == Some(sold.map(|taken| taken.pieces).sum())
        };
        if self.sale.as_ref().is_some_and(all_sold) {
            self.sale = None;
        }
    }

    /// The order is cancelled; one never seen is refused from now on.
    pub(super) fn release(&mut self, order: (String, String), created: Ms) {
        self.taken.retain(|taken| taken.sold || taken.order != order);
        let before = self.holds.insert(order, (Hold::Over, created));
        if let Some((Hold::Held(pieces), _)) = before {
            self.reserved -= pieces;
            self.available = Some(self.available.unwrap_or(0) + pieces);
        }
    }

    /// Forgets marks nothing can ask for any more.
    pub(super) fn drop_marks(&mut self, log: Ms) {
        self.holds.retain(|_, (hold, created)| *hold != Hold::Over || log - *created <= HOUR + 5 * MINUTE);
    }

    /// The alerts between the product as it was and as it is.
    pub(super) fn alerts_since(&self, before: &Self, settings: &Settings) -> Vec<AlertKind> {
        let mut alerts = Vec::new();
        let low = self.low_below.unwrap_or(settings.low_stock_below);
        match (before.available, self.available) {
            (before, Some(0)) if before != Some(0) => alerts.push(AlertKind::OutOfStock),
            (Some(0), Some(now)) if now > 0 => alerts.push(AlertKind::BackInStock),
            (before, Some(now)) if now > 0 && now < low && before.is_none_or(|before| before >= low) => {
                alerts.push(AlertKind::LowStock);
            }
            _ => {}
        }
        if let (Some(before), Some(now)) = (&before.price, &self.price)
            && before.currency == now.currency
            && fell(before.minor, now.minor, settings.price_drop)
        {
            alerts.push(AlertKind::PriceDrop);
        }
        alerts
    }
}

/// Whether a price fell by more than a share of what it was.
fn fell(before: i64, now: i64, drop: Ppm) -> bool {
    (i128::from(before) - i128::from(now)) * 1_000_000 > i128::from(before) * i128::from(drop.0)
}
