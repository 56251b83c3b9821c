//! A user as readers see it. A user nobody has heard of is [`User::default`]: it renders empty, not as an error.

mod abandoned;
mod cart;
mod order;
mod session;

pub use abandoned::abandoned_cart;

use souk_proto::v1;

use super::User;
use crate::key::ActorKey;
use crate::time::Now;

impl User {
    /// What it is made of, as it stands at `now`.
    pub fn to_proto(&self, key: &ActorKey, now: &Now) -> v1::UserState {
        let small = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        v1::UserState {
            name: user_name(key),
            sessions: self.sessions().rev().map(|session| self.session_to_proto(key, session, now)).collect(),
            cart: Some(self.cart_to_proto(key)),
            orders: self.orders().rev().map(|order| order.to_proto(key)).collect(),
            remembered_events: small(self.dedup.len()),
            remembered_requests: small(self.rare.as_ref().map_or(0, |rare| rare.requests.len())),
            commanded: self.cart().is_some_and(|cart| cart.commanded),
        }
    }
}

/// "users/alice".
fn user_name(key: &ActorKey) -> String {
    format!("users/{}", key.id())
}
