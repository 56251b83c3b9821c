//! Rings of a users shard: abandoned carts and open orders, kept from the news its users give.

use crate::key::ActorKey;
use crate::output::{AbandonedChange, AbandonedNews, Output};
use crate::shard::users::UsersShard;
use crate::time::Millis;

/// An abandoned cart as the ring keeps it. `deadline` names it within its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedCart {
    pub actor: ActorKey,
    pub deadline: Millis,
    pub stage: String,
    pub currency_code: String,
    pub minor: i64,
    pub state: AbandonedState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbandonedState {
    Open,
    Retracted,
    Recovered { order_id: String },
}

/// An order not final yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrder {
    pub actor: ActorKey,
    pub order_id: String,
}

impl UsersShard {
    /// Takes the news among fresh outputs into the rings.
    pub(super) fn take_news(&mut self, offset: u64, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Abandoned(news) => self.take_abandoned(offset, news),
                Output::Order { actor, order_id, open: true } => {
                    self.open_orders
                        .push(offset, OpenOrder { actor: actor.clone(), order_id: order_id.clone() });
                }
                Output::Order { actor, order_id, open: false } => {
                    self.open_orders
                        .remove_where(|order| order.actor == *actor && order.order_id == *order_id);
                }
                _ => {}
            }
        }
    }

    fn take_abandoned(&mut self, offset: u64, news: &AbandonedNews) {
        let state = match &news.change {
            AbandonedChange::Opened { stage, currency, minor } => {
                self.abandoned.push(
                    offset,
                    AbandonedCart {
                        actor: news.actor.clone(),
                        deadline: news.deadline,
                        stage: (*stage).to_owned(),
                        currency_code: (*currency).to_owned(),
                        minor: *minor,
                        state: AbandonedState::Open,
                    },
                );
                return;
            }
            AbandonedChange::Retracted => AbandonedState::Retracted,
            AbandonedChange::Recovered { order_id } => {
                AbandonedState::Recovered { order_id: order_id.clone() }
            }
        };
        let newest = self.abandoned.iter_mut().rev().find(|(_, cart)| {
            cart.actor == news.actor && cart.deadline == news.deadline && cart.state == AbandonedState::Open
        });
        if let Some((_, cart)) = newest {
            cart.state = state;
        }
    }
}
