//! Carts and orders: what goes in, what is taken out, and how an order gets from the checkout to the door and sometimes back.

use rand::RngExt as _;
use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind as Body;
use souk_proto::v1::order_step;

use super::browsing::look_at;
use super::limits::{CART_LINES, LINE_PIECES};
use super::shop::{Placed, Shop};
use super::visit::{CartLine, Intent, Order, Stage, Visit};

/// Part of the payments that do not work.
const FAILED_PAYMENTS: f64 = 0.06;
/// Part of the visits that go on after an order.
const GO_ON: f64 = 0.3;

/// Puts something into the cart. The first thing decides what becomes of it.
pub(super) fn add(shop: &mut Shop, visit: &mut Visit, abandon: f64) -> Body {
    if visit.intent.is_none() {
        visit.intent = Some(if shop.chance(abandon) { Intent::Leave } else { Intent::Buy });
        visit.cart_number = shop.next_cart();
    }
    let product = visit.looked_at.take().unwrap_or_else(|| look_at(shop, visit));
    let mut product = shop.catalogue.get(product).clone();
    if visit.cart.len() == CART_LINES {
        product = shop.one_of(&[0, 3, 7, CART_LINES - 1].map(|place| &visit.cart[place])).product.clone();
    }
    let pieces = shop.one_of(&[1, 1, 1, 1, 1, 2, 2, 3, 4]);
    let added = CartLine { product, quantity: pieces };
    let there = visit.cart.iter_mut().find(|line| line.product.id() == added.product.id());
    match there {
        Some(line) => {
            line.quantity = (line.quantity + pieces).min(LINE_PIECES);
            line.product.price = added.product.price;
        }
        None => visit.cart.push(added.clone()),
    }
    step(shop, visit, Action::Add, Some(added.line()))
}

/// Anything else that is done to a cart. One that is to be left behind keeps what is in it.
pub(super) fn change(shop: &mut Shop, visit: &mut Visit) -> Body {
    if visit.cart.is_empty() {
        return step(shop, visit, Action::View, None);
    }
    let place = shop.dice.random_range(0..visit.cart.len());
    match shop.dice.random_range(0..20) {
        0..6 if visit.intent == Some(Intent::Buy) => {
            let taken = visit.cart.remove(place);
            let line = v1::Line { product_id: taken.product.id(), ..v1::Line::default() };
            if visit.cart.is_empty() {
                visit.empty_cart();
            }
            step(shop, visit, Action::Remove, Some(line))
        }
        6 if visit.intent == Some(Intent::Buy) => {
            visit.empty_cart();
            step(shop, visit, Action::Clear, None)
        }
        7..13 => {
            let line = &mut visit.cart[place];
            line.quantity = shop.dice.random_range(1..=5);
            let line = line.line();
            step(shop, visit, Action::SetQuantity, Some(line))
        }
        _ => step(shop, visit, Action::View, None),
    }
}

fn step(shop: &Shop, visit: &Visit, action: Action, line: Option<v1::Line>) -> Body {
    Body::CartStep(v1::CartStep {
        action: action.into(),
        cart_id: visit.cart_id(&shop.run),
        line,
        total: Some(visit.total()),
    })
}

/// The next step of an order, or the first.
pub(super) fn checkout(shop: &mut Shop, visit: &mut Visit) -> Body {
    use order_step::Stage as Said;
    let Some(order) = visit.order else {
        let payment = shop.one_of(&["card", "card", "card", "wallet", "invoice"]);
        let order = Order { number: shop.next_order(), stage: Stage::Started, payment };
        visit.order = Some(order);
        return told(shop, visit, order, Said::CheckoutStarted);
    };
    let (stage, said) = match order.stage {
        Stage::Started | Stage::Failed => (Some(Stage::Paying), Said::PaymentStarted),
        Stage::Paying if shop.chance(FAILED_PAYMENTS) => (Some(Stage::Failed), Said::PaymentFailed),
        Stage::Paying => (Some(Stage::Paid), Said::Paid),
        Stage::Paid => (None, Said::Placed),
    };
    let body = told(shop, visit, order, said);
    visit.order = stage.map(|stage| Order { stage, ..order });
    body
}

/// The order is placed: the cart is empty, and the visit may be over.
pub(super) fn placed(shop: &mut Shop, visit: &mut Visit, number: u64, by: v1::Event) {
    let lines = std::mem::take(&mut visit.cart);
    visit.empty_cart();
    shop.remember(Placed { number, by, lines });
    if !shop.chance(GO_ON) {
        visit.left = 0;
    }
}

fn told(shop: &Shop, visit: &Visit, order: Order, stage: order_step::Stage) -> Body {
    Body::OrderStep(v1::OrderStep {
        stage: stage.into(),
        order_id: order_id(shop, order.number),
        cart_id: visit.cart_id(&shop.run),
        lines: visit.cart.iter().map(CartLine::line).collect(),
        total: Some(visit.total()),
        payment_method: order.payment.to_owned(),
    })
}

fn order_id(shop: &Shop, number: u64) -> String {
    format!("{}-o{number}", shop.run)
}

/// An order goes back: in whole, one line of it, or it is called off. By whom it was placed.
pub(super) fn after_order(shop: &mut Shop) -> Option<v1::Event> {
    use order_step::Stage as Said;
    let Placed { number, by, lines } = shop.any_placed()?;
    let (stage, lines) = match shop.dice.random_range(0..10) {
        0..4 => (Said::Cancelled, Vec::new()),
        4..7 => (Said::Refunded, Vec::new()),
        _ => {
            let place = shop.dice.random_range(0..lines.len());
            let back = CartLine { quantity: 1, ..lines[place].clone() };
            (Said::Refunded, vec![back.line()])
        }
    };
    let step = v1::OrderStep {
        stage: stage.into(),
        order_id: order_id(shop, number),
        lines,
        ..v1::OrderStep::default()
    };
    Some(v1::Event { kind: Some(Body::OrderStep(step)), ..by })
}
