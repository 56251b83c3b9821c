//! Commands of people and the checkout's saga on their side (sections 5, 7 and 8).

use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::step::Action as StepAction;
use souk_proto::journal::v1::{Command, MergeCarts, RecordPayment, Step};
use souk_proto::v1::payment::State as PaymentState;
use souk_proto::v1::{ErrorReason, Line};

use super::cart::Goods;
use super::fact::Amount;
use super::order::{Order, OrderLine, OrderState};
use super::person::{Person, Scene, amount};

type Outcome = Result<(), ErrorReason>;

impl Person {
    /// Decides one command; of a refused one the caller drops what it changed.
    pub(super) fn command(&mut self, command: &Command, scene: &mut Scene<'_>) -> Outcome {
        let action = command.action.as_ref().ok_or(ErrorReason::FieldMissing)?;
        self.check_version(command.if_version, action)?;
        let log = scene.log;
        if self.is_frozen() && moves_cart(action) {
            return Err(ErrorReason::CheckoutPending);
        }
        match action {
            Action::AddCartItem(add) => {
                stamped(&add.product_id, scene)?;
                let goods = goods(&add.product_id, add.quantity.map_or(1, i64::from), scene);
                self.change_cart(scene, |cart| cart.add(&goods, log))?;
            }
            Action::UpdateCartItem(update) => {
                let quantity = update.quantity.ok_or(ErrorReason::FieldMissing)?;
                if quantity > 0 && !self.cart.lines.contains_key(&update.product_id) {
                    stamped(&update.product_id, scene)?;
                }
                let goods = goods(&update.product_id, i64::from(quantity), scene);
                self.change_cart(scene, |cart| cart.set(&goods, log))?;
            }
            Action::RemoveCartItem(remove) => {
                self.change_cart(scene, |cart| {
                    Ok(cart.remove(&remove.product_id, None).into_iter().collect())
                })?;
            }
            Action::ClearCart(_) => self.change_cart(scene, |cart| Ok(cart.clear()))?,
            Action::MergeCarts(merge) => self.command_merge(merge, scene)?,
            Action::RestoreCart(restore) => self.restore(&restore.recovery_token, scene)?,
            Action::Checkout(checkout) => self.checkout(&checkout.order_id, scene)?,
            Action::RecordPayment(payment) => return self.record_payment(payment),
            Action::CancelOrder(cancel) => return self.cancel(&cancel.order_id, scene),
            Action::RefundOrder(refund) => {
                return self.refund_order(&refund.order_id, &refund.lines, refund.amount.as_ref(), scene);
            }
            _ => return Err(ErrorReason::KeyPartitionMismatch),
        }
        self.cart.commanded = true;
        Ok(())
    }

    fn check_version(&self, wanted: Option<i64>, action: &Action) -> Outcome {
        let order = |id: &str| self.own_order(id).map_or(0, |order| order.version);
        let version = match action {
            Action::RecordPayment(payment) => order(&payment.order_id),
            Action::CancelOrder(cancel) => order(&cancel.order_id),
            Action::RefundOrder(refund) => order(&refund.order_id),
            _ => self.cart.version,
        };
        if wanted.is_some_and(|wanted| wanted != version) {
            Err(ErrorReason::VersionMismatch)
        } else {
            Ok(())
        }
    }

    fn command_merge(&mut self, merge: &MergeCarts, scene: &Scene<'_>) -> Outcome {
        if merge.source_user_id == self.id {
            return Err(ErrorReason::FieldInvalid);
        }
        if self.merges.len() >= super::merge::MOST_MERGES {
            return Err(ErrorReason::TooManyItems);
        }
        self.start_merge(merge.source_user_id.clone(), merge.policy(), scene);
        Ok(())
    }

    fn restore(&mut self, token: &str, scene: &mut Scene<'_>) -> Outcome {
        let remembered = self.abandoned.iter_mut().rev().find(|cart| cart.token == token);
        let remembered = remembered.ok_or(ErrorReason::ResourceUnknown)?;
        if std::mem::replace(&mut remembered.used, true) {
            return Err(ErrorReason::RecoveryTokenUsed);
        }
        let lines = remembered.lines.clone();
        let log = scene.log;
        self.change_cart(scene, |cart| {
            let mut moved = Vec::new();
            for (product, line) in lines {
                if cart.currency().is_some_and(|currency| currency != line.currency) {
                    return Err(ErrorReason::CurrencyMismatch);
                }
                let price = Some(Amount::new(&line.currency, line.price));
                let quantity = line.quantity.max(cart.lines.get(&product).map_or(0, |line| line.quantity));
                let (title, category, brand) = (line.title, line.category, line.brand);
                moved.extend(cart.set(&Goods { product, quantity, price, title, category, brand }, log)?);
            }
            Ok(moved)
        })
    }

    fn checkout(&mut self, id: &str, scene: &Scene<'_>) -> Outcome {
        if let Some(order) = self.own_order(id).filter(|order| order.state != OrderState::Known) {
            return if order.commanded { Ok(()) } else { Err(ErrorReason::OrderFinal) };
        }
        if self.orders.iter().any(|order| order.id == id && order.bare) {
            return Err(ErrorReason::OrderFinal);
        }
        if self.is_frozen() {
            return Err(ErrorReason::CheckoutPending);
        }
        if self.cart.lines.is_empty() {
            return Err(ErrorReason::CartEmpty);
        }
        let mut lines = Vec::new();
        let currency = self.cart.currency().unwrap_or_default().to_owned();
        for (product, line) in &self.cart.lines {
            let stamp = scene.stamp(product);
            let or = |known: &str, stamped: &str| if known.is_empty() { stamped } else { known }.to_owned();
            let kept = Amount::new(&line.currency, line.price);
            let price = scene.stamped_price(product).unwrap_or(kept);
            if price.currency != currency {
                return Err(ErrorReason::CurrencyMismatch);
            }
            lines.push(OrderLine {
                product: product.clone(),
                quantity: line.quantity,
                price: price.minor,
                left: line.quantity,
                amount_left: super::cart::times(price.minor, line.quantity)?,
                category: or(&line.category, stamp.map_or("", |stamp| &stamp.category)),
                brand: or(&line.brand, stamp.map_or("", |stamp| &stamp.brand)),
            });
        }
        let total = total(&lines, &currency, scene);
        let deadline = scene.log + scene.settings.order_timeout;
        self.cart.at_checkout = true;
        let version = self.own_order(id).map_or(1, |order| order.version + 1);
        let order = self.order(id);
        *order = Order {
            state: OrderState::Pending,
            commanded: true,
            checkout_started: order.checkout_started,
            payment: order.payment.clone(),
            left: total,
            total: Some(Amount::new(&currency, total)),
            lines,
            version,
            deadline,
            ..Order::new(id)
        };
        Ok(())
    }

    fn record_payment(&mut self, payment: &RecordPayment) -> Outcome {
        let order = self.own_order_mut(&payment.order_id).ok_or(ErrorReason::OrderUnknown)?;
        let paid = payment.payment.as_ref().and_then(|payment| payment.amount.as_ref()).and_then(amount);
        if paid.is_some() && order.total.is_some() && paid != order.total {
            return Err(ErrorReason::PaymentMismatch);
        }
        let said = payment.payment.as_ref().ok_or(ErrorReason::FieldMissing)?;
        if let Some((known, state)) = &order.payment
            && !known.is_empty()
            && *known != said.payment_id
            && *state != PaymentState::Failed
        {
            return Err(ErrorReason::PaymentMismatch);
        }
        order.payment = Some((said.payment_id.clone(), said.state()));
        order.version += 1;
        Ok(())
    }

    fn cancel(&mut self, id: &str, scene: &mut Scene<'_>) -> Outcome {
        let order = self.own_order_mut(id).ok_or(ErrorReason::OrderUnknown)?;
        match order.state {
            OrderState::Known | OrderState::Pending => order.end(OrderState::Cancelled),
            OrderState::Confirmed => order.refund_rest(scene),
            OrderState::Cancelled => return Err(ErrorReason::OrderFinal),
        }
        Ok(())
    }

    fn refund_order(
        &mut self,
        id: &str,
        lines: &[Line],
        amount: Option<&souk_proto::v1::Money>,
        scene: &mut Scene<'_>,
    ) -> Outcome {
        let order = self.own_order_mut(id).filter(|order| order.state == OrderState::Confirmed);
        order.ok_or(ErrorReason::OrderUnknown)?.refund(lines, amount, scene)
    }

    /// Takes one step of a saga in.
    pub(super) fn saga_step(&mut self, step: &Step, scene: &mut Scene<'_>) {
        match &step.action {
            Some(StepAction::Reserved(answer)) => {
                self.reserved(&answer.order_id, &answer.product_id, answer.granted, scene)
            }
            Some(StepAction::Settled(settled)) => {
                let owed = |order: &&mut Order| order.id == settled.order_id && order.is_owed();
                if let Some(order) = self.orders.iter_mut().find(owed)
                    && order.state != OrderState::Pending
                {
                    order.settled.insert(settled.product_id.clone());
                }
                self.orders.retain(|order| !order.bare || order.is_owed());
            }
            Some(StepAction::CartTake(take)) => self.give_cart(take, step.created_ms, scene),
            Some(StepAction::CartGiven(given)) => self.take_cart(given, scene),
            _ => {}
        }
    }

    fn reserved(&mut self, id: &str, product: &str, granted: bool, scene: &mut Scene<'_>) {
        let Some(order) = self.orders.iter_mut().find(|order| order.id == id && order.is_owed()) else {
            return;
        };
        let asked = order.lines.iter().any(|line| line.product == product);
        if !asked || order.granted.contains(product) || order.settled.contains(product) {
            return;
        }
        let pending = order.state == OrderState::Pending;
        order.version += 1;
        if granted {
            order.granted.insert(product.to_owned());
            if pending && order.granted.len() == order.lines.len() {
                order.version -= 1; // being placed is what this answer comes to
                let bare = order.bare;
                self.confirm(id, bare, scene);
            }
        } else {
            order.settled.insert(product.to_owned());
            if pending {
                order.version -= 1;
                order.end(OrderState::Cancelled);
            }
        }
        self.orders.retain(|order| !order.bare || order.is_owed());
    }

    /// The earliest moment of log time at which a pending order gives up.
    pub(super) fn next_order_deadline(&self) -> Option<i64> {
        self.pending().map(|order| order.deadline).min()
    }

    /// Gives up the orders whose time is this one.
    pub(super) fn give_up_orders(&mut self, deadline: i64) {
        for order in &mut self.orders {
            if order.state == OrderState::Pending && order.deadline == deadline {
                order.end(OrderState::Cancelled);
            }
        }
    }

    fn pending(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| order.state == OrderState::Pending)
    }
}

/// Commands that change the cart itself; a Checkout looks at its order id first.
fn moves_cart(action: &Action) -> bool {
    matches!(
        action,
        Action::AddCartItem(_)
            | Action::UpdateCartItem(_)
            | Action::RemoveCartItem(_)
            | Action::ClearCart(_)
            | Action::MergeCarts(_)
            | Action::RestoreCart(_)
    )
}

/// A command adds only what the catalogue knew.
fn stamped(product: &str, scene: &Scene<'_>) -> Outcome {
    scene.stamp(product).map(|_| ()).ok_or(ErrorReason::ProductUnknown)
}

/// The product of a command, at its stamp's price.
fn goods(product: &str, quantity: i64, scene: &Scene<'_>) -> Goods {
    scene.goods(&Line { product_id: product.to_owned(), ..Line::default() }, quantity)
}

/// Subtotal, tax on it rounded half up, and shipping in the same currency.
fn total(lines: &[OrderLine], currency: &str, scene: &Scene<'_>) -> i64 {
    let subtotal: i64 = lines.iter().map(|line| line.amount_left).sum();
    let tax = (i128::from(subtotal) * i128::from(scene.settings.tax.0) + 500_000).div_euclid(1_000_000);
    let shipping = scene.settings.shipping.as_ref().filter(|shipping| shipping.currency == currency);
    subtotal + i64::try_from(tax).unwrap_or(0) + shipping.map_or(0, |shipping| shipping.minor)
}
