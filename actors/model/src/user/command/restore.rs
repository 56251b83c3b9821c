//! RestoreCart: the lines of an abandoned cart come back, once.

use souk_proto::journal::v1 as journal;

use super::super::User;
use super::super::abandonment::Fate;
use super::super::line::{Addition, Words};
use super::super::scribe::scribe;
use crate::actor::Context;
use crate::key::ActorKey;
use crate::limits::CART_LINES;
use crate::money::Money;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

impl User {
    /// Of each line the larger of both quantities; a line that is there keeps its price, another comes at the remembered one. The token is the
    /// deadline the cart was abandoned at.
    pub(super) fn restore_cart(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        restore: &journal::RestoreCart,
    ) -> Result<(), Refusal> {
        let unknown =
            || Refusal::new(Reason::ResourceUnknown, "recovery_token", "no abandoned cart has this token");
        let deadline: Millis = restore.recovery_token.parse().map_err(|_| unknown())?;
        let cart = self.cart.as_deref_mut().ok_or_else(unknown)?;
        let found = cart
            .abandoned
            .iter()
            .rposition(|abandoned| abandoned.deadline == deadline)
            .ok_or_else(unknown)?;
        if cart.abandoned[found].fate != Fate::Open {
            return Err(Refusal::new(
                Reason::RecoveryTokenUsed,
                "recovery_token",
                "this cart was ordered or restored before",
            ));
        }
        let (currency, lines) = (cart.abandoned[found].currency, cart.abandoned[found].lines.clone());
        if cart.currency.is_some_and(|own| own != currency) {
            return Err(Refusal::new(
                Reason::CurrencyMismatch,
                "recovery_token",
                "the cart has another currency",
            ));
        }
        let new_lines = lines.iter().filter(|line| cart.line(&line.product).is_none()).count();
        if cart.lines.len() + new_lines > CART_LINES {
            return Err(Refusal::new(
                Reason::TooManyItems,
                "",
                format!("a cart holds at most {CART_LINES} products"),
            ));
        }

        cart.abandoned[found].fate = Fate::Restored;
        let mut scribe = scribe(ctx, key, &self.sessions, &mut self.presence);
        let now = scribe.now.log_time;
        cart.fire_if_passed(now, &mut scribe);
        let mut gained = false;
        for line in &lines {
            let there = cart.line(&line.product).map_or(0, |line| line.quantity);
            if line.quantity > there {
                gained = true;
                let unit_price = cart.line(&line.product).map_or(line.unit_price, |own| own.unit_price);
                let addition = Addition {
                    product: &line.product,
                    quantity: line.quantity - there,
                    price: Money { currency, minor: unit_price },
                    words: Words { title: &line.title, category: &line.category, brand: &line.brand },
                };
                cart.add(&addition, now, &mut scribe);
            }
        }
        if gained {
            cart.changed(&scribe);
            cart.rearm(now, &mut scribe);
        }
        Ok(())
    }
}
