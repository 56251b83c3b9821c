//! An abandoned cart as readers see it: what the ring of its shard says of it, with the lines its user still remembers.

use souk_proto::v1;

use super::user_name;
use crate::journal::ShardId;
use crate::ring::RingId;
use crate::shard::{AbandonedCart, AbandonedState};
use crate::time::to_timestamp;
use crate::user::{Fate, Stage, User};

/// The entry `id` of a shard's ring. Of a user who is erased, or has since left behind more carts than are remembered, there are no items.
pub fn abandoned_cart(
    shard: ShardId,
    id: RingId,
    cart: &AbandonedCart,
    user: Option<&User>,
) -> v1::AbandonedCart {
    let user_name = user_name(&cart.actor);
    let remembered = user
        .and_then(User::cart)
        .and_then(|known| known.abandoned.iter().rev().find(|abandoned| abandoned.deadline == cart.deadline));
    let items =
        remembered.map(|known| known.lines.iter().map(|line| line.to_proto(known.currency)).collect());
    let (state, order) = match &cart.state {
        AbandonedState::Open => (v1::abandoned_cart::State::Open, String::new()),
        AbandonedState::Retracted => (v1::abandoned_cart::State::Retracted, String::new()),
        AbandonedState::Recovered { order_id } => {
            (v1::abandoned_cart::State::Recovered, format!("{user_name}/orders/{order_id}"))
        }
    };
    // A token that was used, or is forgotten, fills no cart.
    let fills =
        remembered.is_some_and(|known| known.fate == Fate::Open) && cart.state == AbandonedState::Open;
    let stage = if cart.stage == Stage::Checkout.name() {
        v1::abandoned_cart::Stage::Checkout
    } else {
        v1::abandoned_cart::Stage::Cart
    };
    v1::AbandonedCart {
        name: format!("{user_name}/abandonedCarts/{shard}.{}.{}", id.position, id.n),
        stage: stage.into(),
        items: items.unwrap_or_default(),
        value: Some(v1::Money { currency_code: cart.currency_code.clone(), minor_units: Some(cart.minor) }),
        abandon_time: Some(to_timestamp(cart.deadline)),
        state: state.into(),
        order,
        recovery_token: if fills { cart.deadline.to_string() } else { String::new() },
    }
}
