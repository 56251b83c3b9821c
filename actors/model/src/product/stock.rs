//! The pieces of a product: `received = available + reserved + sold`, whatever happens.

use souk_proto::v1::stock::Mode as ProtoMode;

use crate::limits::PIECES;
use crate::verdict::{Reason, Refusal};

/// Counts of pieces, and how they are promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    pub mode: Mode,
    /// Somebody has said how many pieces there are; before that none are there and nobody is alarmed about it.
    pub known: bool,
    pub received: i64,
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
    /// Absent: the shop's setting. 0: never low.
    pub low_below: Option<i64>,
}

/// What an order does to the pieces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Nothing is counted.
    None = 1,
    /// Sales are counted, never refused.
    #[default]
    Track = 2,
    /// An order holds its pieces.
    ReserveOnOrder = 3,
    /// So does a cart: its holds are asked for by the user's side, here it is the same.
    ReserveOnCart = 4,
}

impl Mode {
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::None, Self::Track, Self::ReserveOnOrder, Self::ReserveOnCart]
            .into_iter()
            .find(|mode| *mode as u8 == number)
    }

    /// The mode a message asks for; unspecified and unknown ones are none.
    pub fn from_proto(number: i32) -> Option<Self> {
        u8::try_from(number).ok().and_then(Self::from_number)
    }

    pub fn to_proto(self) -> ProtoMode {
        match self {
            Self::None => ProtoMode::None,
            Self::Track => ProtoMode::Track,
            Self::ReserveOnOrder => ProtoMode::ReserveOnOrder,
            Self::ReserveOnCart => ProtoMode::ReserveOnCart,
        }
    }
}

/// How the available pieces are said to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockChange {
    Delta(i64),
    Level(i64),
}

impl Stock {
    /// Pieces to be alarmed about, `None` before anybody said how many there are.
    pub fn known_available(&self) -> Option<i64> {
        self.known.then_some(self.available)
    }

    /// Takes an update of the available pieces; out of bounds it changes nothing.
    pub fn update(&mut self, field: &str, change: StockChange) -> Result<(), Refusal> {
        let available = match change {
            StockChange::Delta(delta) => self.available.saturating_add(delta),
            StockChange::Level(level) => level,
        };
        if !(0..=PIECES).contains(&available) {
            let message = format!("{} are available: must leave 0 to {PIECES}", self.available);
            return Err(Refusal::new(Reason::ValueOutOfRange, field, message));
        }
        self.received += available - self.available;
        self.available = available;
        self.known = true;
        Ok(())
    }

    pub(super) fn hold(&mut self, quantity: i64) {
        self.available -= quantity;
        self.reserved += quantity;
    }

    pub(super) fn give_back(&mut self, quantity: i64) {
        self.reserved -= quantity;
        self.available += quantity;
    }

    pub(super) fn sell_held(&mut self, quantity: i64) {
        self.reserved -= quantity;
        self.sold += quantity;
    }

    /// Sells what is there; what was sold beyond it must have been received unseen.
    pub(super) fn sell_counted(&mut self, quantity: i64) {
        let there = quantity.min(self.available);
        self.available -= there;
        self.received += quantity - there;
        self.sold += quantity;
    }
}
