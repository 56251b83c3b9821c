//! A guest's cart moves into a user's (section 8): the user's side and the guest's.

use std::collections::BTreeMap;

use souk_proto::journal::v1::{CartGiven, CartLine as WireLine, CartTake};
use souk_proto::v1::MergePolicy;

use super::cart::{CartLine, Lines, MOST_LINES, MOST_PIECES};
use super::order::OrderState;
use super::person::{Person, Scene};
use super::time::{HOUR, Ms};

/// Merges one user may wait for, and carts one guest may have given.
pub(super) const MOST_MERGES: usize = 16;

/// A merge a user waits for.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub(super) id: u64,
    pub(super) guest: String,
    pub(super) policy: MergePolicy,
}

/// A merge a guest gave its cart to. Kept for good: past an hour the question is refused anyway.
#[derive(Debug, Clone)]
pub(super) struct Given {
    user: String,
    merge: u64,
}

impl Person {
    /// The user wants the guest's cart.
    pub(super) fn start_merge(&mut self, guest: String, policy: MergePolicy, scene: &Scene<'_>) {
        self.merges.push(Merge { id: scene.offset, guest, policy });
    }

    /// The guest is asked for its cart.
    pub(super) fn give_cart(&mut self, take: &CartTake, created: Ms, scene: &Scene<'_>) {
        let asked = |given: &Given| given.user == take.user_id && given.merge == take.merge_id;
        if scene.log - created > HOUR || self.given.iter().any(asked) || self.is_frozen() {
            return;
        }
        let lines = std::mem::take(&mut self.cart.lines);
        self.lines_changed(&lines);
        self.given.push(Given { user: take.user_id.clone(), merge: take.merge_id });
    }

    /// Whether an order is pending: then nothing moves the cart but the order's end.
    pub(super) fn is_frozen(&self) -> bool {
        self.orders.iter().any(|order| order.state == OrderState::Pending && !order.bare)
    }

    /// The guest's lines arrive.
    pub(super) fn take_cart(&mut self, given: &CartGiven, scene: &Scene<'_>) {
        if self.is_frozen() {
            return;
        }
        let Some(place) =
            self.merges.iter().position(|m| m.id == given.merge_id && m.guest == given.guest_id)
        else {
            return;
        };
        let policy = self.merges.remove(place).policy;
        let arriving: BTreeMap<_, _> =
            given.lines.iter().map(|line| (line.product_id.clone(), line)).collect();
        let merged = merged(&self.cart.lines, &arriving, policy);
        let Some(merged) = merged else { return };
        self.cart.lines = merged;
        self.cart.version += 1;
        if self.cart.deadline.is_none() {
            self.cart.latest_add = self.cart.latest_add.max(Some(scene.log));
            self.cart.deadline = Some(scene.log + scene.settings.abandon_after);
        }
    }
}

/// The user's lines with the guest's, in product order; none if no quantity changes.
fn merged(own: &Lines, arriving: &BTreeMap<String, &WireLine>, policy: MergePolicy) -> Option<Lines> {
    let mut lines = own.clone();
    let mut changed = false;
    for (product, guest) in arriving {
        if lines.values().next().is_some_and(|line| line.currency != guest.currency_code) {
            continue;
        }
        let theirs = i64::from(guest.quantity);
        let before = lines.get(product).map(|line| line.quantity);
        if let Some(line) = lines.get_mut(product) {
            line.quantity = match policy {
                MergePolicy::Sum => (line.quantity + theirs).min(MOST_PIECES),
                MergePolicy::Guest => theirs,
                MergePolicy::Customer => line.quantity,
                MergePolicy::Max | MergePolicy::Unspecified => line.quantity.max(theirs),
            };
            if before != Some(line.quantity) {
                line.added = line.added.min(guest.add_time_ms);
            }
        } else if lines.len() < MOST_LINES {
            lines.insert(product.clone(), line_of(guest));
        } else {
            continue;
        }
        changed |= before != lines.get(product).map(|line| line.quantity);
    }
    changed.then_some(lines)
}

fn line_of(wire: &WireLine) -> CartLine {
    CartLine {
        quantity: i64::from(wire.quantity),
        price: wire.unit_price_minor_units,
        currency: wire.currency_code.clone(),
        added: wire.add_time_ms,
        title: wire.title.clone(),
        category: wire.category.clone(),
        brand: wire.brand.clone(),
    }
}
