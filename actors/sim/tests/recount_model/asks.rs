//! What commands ask for.

use prost_types::FieldMask;
use souk_model::journal::Journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::{
    AcknowledgeAlert, AddCartItem, AdjustStock, CancelOrder, Checkout, ClearCart, EndSale, EraseUser,
    MergeCarts, RecordPayment, RefundOrder, RemoveCartItem, RestoreCart, SetPrice, StartSale, UpdateCartItem,
    UpsertProduct, adjust_stock,
};
use souk_proto::v1::{MergePolicy, Payment, payment};

use crate::author::{Author, Drawn, timestamp};

/// Salt of every erase.
const SALT: [u8; 16] = *b"sixteen bytes ok";

impl Author {
    /// Something a user asks for.
    pub(crate) fn ask(&mut self) -> Drawn {
        let action = match self.rng.below(40) {
            0..12 => self.add(),
            12..15 => {
                let quantity = Some(self.rng.between(0, 4) as i32);
                Action::UpdateCartItem(UpdateCartItem { product_id: self.product(), quantity })
            }
            15 | 16 => Action::RemoveCartItem(RemoveCartItem { product_id: self.product() }),
            17 => Action::ClearCart(ClearCart {}),
            18 | 19 => self.merge(),
            20 | 21 => self.restore(),
            22..30 => Action::Checkout(Checkout { order_id: self.order(), ..Checkout::default() }),
            30 | 31 => self.payment(),
            32..34 => Action::CancelOrder(CancelOrder { order_id: self.order(), reason: String::new() }),
            34..37 => self.refund(),
            37 if self.shape.erases => Action::EraseUser(EraseUser { salt: SALT.to_vec() }),
            _ => self.add(),
        };
        let actor = self.user();
        self.command(Journal::Users, actor, action)
    }

    fn add(&mut self) -> Action {
        let quantity = self.rng.one_in(2).then(|| self.rng.between(1, 4) as i32);
        Action::AddCartItem(AddCartItem { product_id: self.product(), quantity })
    }

    fn merge(&mut self) -> Action {
        let policies = [
            MergePolicy::Unspecified,
            MergePolicy::Max,
            MergePolicy::Sum,
            MergePolicy::Guest,
            MergePolicy::Customer,
        ];
        let policy = policies[self.rng.index(policies.len())].into();
        Action::MergeCarts(MergeCarts {
            source_user_id: format!("guest:s{}", self.rng.index(self.shape.guests)),
            policy,
        })
    }

    fn restore(&mut self) -> Action {
        let unknown = self.rng.one_in(4);
        let token = self.rng.pick(&self.tokens).filter(|_| !unknown).cloned();
        Action::RestoreCart(RestoreCart { recovery_token: token.unwrap_or_else(|| "12345".to_owned()) })
    }

    fn payment(&mut self) -> Action {
        let payment = Payment {
            payment_id: self.id("pay"),
            state: payment::State::Started.into(),
            amount: Some(self.money(500)),
            ..Payment::default()
        };
        Action::RecordPayment(RecordPayment { order_id: self.order(), payment: Some(payment) })
    }

    fn refund(&mut self) -> Action {
        let lines = (0..self.rng.below(3)).map(|_| self.line()).collect();
        let amount = if self.rng.one_in(3) { Some(self.money(900)) } else { None };
        Action::RefundOrder(RefundOrder { order_id: self.order(), lines, amount, reason: String::new() })
    }

    /// Something asked for of a product.
    pub(crate) fn goods_ask(&mut self) -> Drawn {
        let mut actor = self.product();
        let action = match self.rng.below(12) {
            0..4 => {
                let (product, mask) = self.product_change();
                actor = product.name.trim_start_matches("products/").to_owned();
                let update_mask = mask.map(|paths| FieldMask { paths });
                Action::UpsertProduct(Box::new(UpsertProduct { product: Some(product), update_mask }))
            }
            4..6 => Action::SetPrice(SetPrice { price: Some(self.money(1_000)) }),
            6..9 => {
                let change = if self.rng.one_in(2) {
                    adjust_stock::Change::Level(self.rng.between(0, 9))
                } else {
                    adjust_stock::Change::Delta(self.rng.between(-5, 9))
                };
                Action::AdjustStock(AdjustStock { change: Some(change), reason: String::new() })
            }
            9 => self.sale(),
            10 => Action::EndSale(EndSale {}),
            _ => {
                let alert = self.rng.pick(&self.alerts).cloned();
                Action::AcknowledgeAlert(AcknowledgeAlert {
                    alert_id: alert.unwrap_or_else(|| "products-0.1.0".to_owned()),
                })
            }
        };
        self.command(Journal::Products, actor, action)
    }

    fn sale(&mut self) -> Action {
        let start = self.now + self.rng.between(-20, 40) * self.shape.beat;
        let end = start + self.rng.between(-5, 60) * self.shape.beat;
        Action::StartSale(StartSale {
            price: Some(self.money(400)),
            start_time: (!self.rng.one_in(3)).then(|| timestamp(start)),
            end_time: Some(timestamp(end)),
            quantity: None,
            per_user: None,
        })
    }
}
