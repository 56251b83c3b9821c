//! Commands to users: carts by command, checkouts that compete for scarce stock, payments, cancels, refunds, merges.

use souk_model::journal::Journal;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::v1;

use super::build::{euros, product_id};
use super::{PRODUCTS, Request, Workload};
use crate::faults::Chaos;

impl Workload {
    pub(super) fn command(&mut self, chaos: &mut Chaos) -> Request {
        let user = self.user(chaos);
        let at = self.product(chaos);
        let product_id = product_id(at);
        let action = match self.rng.below(100) {
            0..=34 => Action::AddCartItem(journal::AddCartItem {
                product_id,
                quantity: Some(self.rng.between(1, 2) as i32),
            }),
            35..=42 => {
                let quantity = Some(self.rng.between(0, 3) as i32);
                Action::UpdateCartItem(journal::UpdateCartItem { product_id, quantity })
            }
            43..=46 => Action::RemoveCartItem(journal::RemoveCartItem { product_id }),
            47..=48 => Action::ClearCart(journal::ClearCart {}),
            49..=53 => match self.guest() {
                Some(guest) => {
                    let source_user_id = format!("guest:s-{guest}");
                    Action::MergeCarts(journal::MergeCarts {
                        source_user_id,
                        policy: self.rng.between(0, 4) as i32,
                    })
                }
                None => Action::RemoveCartItem(journal::RemoveCartItem { product_id }),
            },
            54..=84 => return self.checkout(&user),
            _ => return self.about_an_order(&user),
        };
        self.ask(Journal::Users, &user, action, &[at])
    }

    fn checkout(&mut self, user: &str) -> Request {
        let order_id = self.id("o");
        self.remember_order(user, &order_id);
        let action = Action::Checkout(journal::Checkout {
            order_id,
            shipping_address: None,
            payment_method: "card".into(),
        });
        let all: Vec<usize> = (0..PRODUCTS).collect();
        self.ask(Journal::Users, user, action, &all)
    }

    fn about_an_order(&mut self, fallback: &str) -> Request {
        let (user, order_id) = self.known_order().unwrap_or_else(|| (fallback.to_owned(), "o-none".into()));
        let action = match self.rng.below(4) {
            0 => {
                let payment = v1::Payment {
                    payment_id: self.id("pay"),
                    state: self.rng.between(1, 3) as i32,
                    method: "card".into(),
                    amount: Some(euros(self.rng.between(0, 20_000))),
                };
                Action::RecordPayment(journal::RecordPayment { order_id, payment: Some(payment) })
            }
            1 | 2 => Action::CancelOrder(journal::CancelOrder { order_id, reason: "changed my mind".into() }),
            _ => {
                let amount = self.rng.one_in(2).then(|| euros(self.rng.between(1, 5_000)));
                Action::RefundOrder(journal::RefundOrder {
                    order_id,
                    lines: Vec::new(),
                    amount,
                    reason: "broken".into(),
                })
            }
        };
        self.ask(Journal::Users, &user, action, &[])
    }

    pub(super) fn erase(&mut self, user: &str) -> Request {
        let salt = self.rng.draw().to_le_bytes().repeat(2);
        self.ask(Journal::Users, user, Action::EraseUser(journal::EraseUser { salt }), &[])
    }
}
