//! Every bound of the shoppers, by name, with its reason.

use std::time::Duration;

/// Events a second at most: one core makes some hundred thousand.
pub(crate) const RATE: u32 = 1_000_000;
/// Users at most: their state is a number each, but a Zipf law over more says nothing new.
pub(crate) const USERS: u32 = 10_000_000;
/// Products at most: each is announced before anything else happens.
pub(crate) const PRODUCTS: u32 = 1_000_000;
/// Visits under way at once: what is kept of each is a few hundred bytes.
pub(crate) const VISITS: u32 = 50_000;
/// Tries to find a visit that something can happen to, or a person who is not there already. A failed search costs the kind of one
/// event, an endless one the schedule.
pub(super) const TRIES: usize = 16;
/// What happens for one slot of a form that has few words, before the traffic ends: all products are announced first, and the rarest kind
/// is one in five hundred.
pub(super) const TRIES_TOLD: usize = PRODUCTS as usize + 100_000;
/// Lines of a cart; further adds raise quantities.
pub(super) const CART_LINES: usize = 12;
/// Pieces of one line: below what a node takes.
pub(super) const LINE_PIECES: i32 = 500;
/// Placed orders that may still be refunded or called off: fewer than a node remembers of one user.
pub(super) const PLACED_ORDERS: usize = 200;
/// Events that a duplicate may repeat: young enough to be remembered by every node.
pub(super) const RECENT_EVENTS: usize = 256;
/// Events handed over at once: half of what a message may hold.
pub(super) const BATCH: usize = 500;
/// Shortest time between two batches: at 200 events/s a batch then holds two instead of one.
pub(super) const BATCH_EVERY: Duration = Duration::from_millis(10);
/// First and longest pause before a batch that was not taken is offered again.
pub(super) const OFFER_AGAIN_FIRST: Duration = Duration::from_millis(50);
pub(super) const OFFER_AGAIN_LONGEST: Duration = Duration::from_secs(2);
/// Least time between two words about batches that are not taken.
pub(super) const WORD_EVERY: Duration = Duration::from_secs(10);
