//! One visit, planned whole when it begins: looking around, a cart, an order or a cart left behind, sometimes a refund.
//!
//! What a visit does to its cart ends with an add or an order, and never empties the cart otherwise. Then what becomes of an
//! abandonment does not hang on when a watermark passes, and an oracle that knows only the events can tell it.

use std::collections::VecDeque;

use rand::RngExt as _;
use rand::rngs::StdRng;
use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind;
use souk_proto::v1::order_step::Stage;

use super::range::money;
use super::scenario::Funnel;
use super::{Product, Range};

const PAGES: [&str; 8] = ["/", "/new", "/sale", "/mugs", "/tea", "/gifts", "/help", "/about"];
const REFERRERS: [&str; 4] = ["direct", "email", "ads", "social"];
const CAMPAIGNS: [&str; 4] = ["", "spring", "autumn", "vip"];
const QUERIES: [&str; 5] = ["blue mug", "teapot", "gift under 20", "tray", "lamp"];
const SHIPPING: i64 = 499;

#[derive(Debug)]
pub(super) struct Visit {
    pub(super) who: Who,
    pub(super) steps: VecDeque<Kind>,
}

#[derive(Debug, Clone)]
pub(super) struct Who {
    /// Place among the shop's users; none for a guest.
    pub(super) user: Option<usize>,
    pub(super) user_id: String,
    pub(super) session_id: String,
    pub(super) device_id: String,
    pub(super) currency: &'static str,
}

impl Visit {
    pub(super) fn plan(who: Who, order_id: &str, range: &Range, funnel: &Funnel, rng: &mut StdRng) -> Self {
        let mut plan = Plan { steps: VecDeque::new(), currency: who.currency, order_id, range, funnel, rng };
        plan.look_around();
        if plan.rng.random_bool(funnel.cart) {
            let bought = plan.fill_cart();
            if plan.rng.random_bool(funnel.order) {
                plan.order(bought);
            }
        }
        Self { who, steps: plan.steps }
    }
}

struct Plan<'a> {
    steps: VecDeque<Kind>,
    currency: &'static str,
    order_id: &'a str,
    range: &'a Range,
    funnel: &'a Funnel,
    rng: &'a mut StdRng,
}

impl<'a> Plan<'a> {
    fn one_of(&mut self, texts: &[&str]) -> String {
        texts[self.rng.random_range(0..texts.len())].to_owned()
    }

    fn look_around(&mut self) {
        let landing = v1::PageView {
            page: self.one_of(&PAGES),
            referrer: self.one_of(&REFERRERS),
            campaign: self.one_of(&CAMPAIGNS),
        };
        self.steps.push_back(Kind::PageView(landing));
        for _ in 0..self.rng.random_range(1..7) {
            let step = match self.rng.random_range(0..10) {
                0 => Kind::Search(v1::Search { query: self.one_of(&QUERIES), result_count: Some(7) }),
                1 => Kind::Browse(v1::Browse { category: self.range.pick(self.rng).category.clone() }),
                2 => Kind::WishlistStep(v1::WishlistStep {
                    product_id: self.range.pick(self.rng).id.clone(),
                    removed: false,
                }),
                3..6 => Kind::PageView(v1::PageView { page: self.one_of(&PAGES), ..Default::default() }),
                _ => self.view(),
            };
            self.steps.push_back(step);
        }
    }

    fn view(&mut self) -> Kind {
        let product = self.range.pick(self.rng);
        Kind::ProductView(v1::ProductView {
            product_id: product.id.clone(),
            category: product.category.clone(),
            brand: product.brand.clone(),
        })
    }

    fn cart(&mut self, action: Action, line: Option<v1::Line>) {
        let step = v1::CartStep { action: action.into(), line, ..Default::default() };
        self.steps.push_back(Kind::CartStep(step));
    }

    /// Puts products in, with second thoughts in between; the last step is an add.
    fn fill_cart(&mut self) -> Vec<(&'a Product, i32)> {
        let mut cart: Vec<(&Product, i32)> = Vec::new();
        let products = self.rng.random_range(1..=4);
        for n in 0..products {
            if n > 0 && self.rng.random_bool(self.funnel.second_look) {
                self.second_look(&mut cart);
            }
            let view = self.view();
            self.steps.push_back(view);
            let product = self.range.pick(self.rng);
            let quantity = self.rng.random_range(1..=3);
            self.cart(Action::Add, Some(product.line(quantity, self.currency)));
            match cart.iter_mut().find(|(other, _)| other.id == product.id) {
                Some((_, pieces)) => *pieces += quantity,
                None => cart.push((product, quantity)),
            }
        }
        cart
    }

    fn second_look(&mut self, cart: &mut Vec<(&'a Product, i32)>) {
        match self.rng.random_range(0..4) {
            0 if cart.len() > 1 => {
                let (product, _) = cart.remove(0);
                self.cart(
                    Action::Remove,
                    Some(v1::Line { quantity: None, ..product.line(1, self.currency) }),
                );
            }
            1 => {
                let quantity = self.rng.random_range(1..=5);
                cart[0].1 = quantity;
                let line = v1::Line { unit_price: None, ..cart[0].0.line(quantity, self.currency) };
                self.cart(Action::SetQuantity, Some(line));
            }
            2 => self.cart(Action::View, None),
            _ => self.stage(Stage::CheckoutStarted, Vec::new(), None),
        }
    }

    fn stage(&mut self, stage: Stage, lines: Vec<v1::Line>, total: Option<v1::Money>) {
        let step = v1::OrderStep {
            stage: stage.into(),
            order_id: self.order_id.to_owned(),
            cart_id: String::new(),
            lines,
            total,
            payment_method: "card".to_owned(),
        };
        self.steps.push_back(Kind::OrderStep(step));
    }

    fn order(&mut self, bought: Vec<(&Product, i32)>) {
        let lines: Vec<_> =
            bought.iter().map(|(product, pieces)| product.line(*pieces, self.currency)).collect();
        let sum: i64 = bought.iter().map(|(product, pieces)| product.price * i64::from(*pieces)).sum();
        let total = self.rng.random_bool(0.5).then(|| money(self.currency, sum + SHIPPING));
        self.stage(Stage::CheckoutStarted, Vec::new(), None);
        self.stage(Stage::PaymentStarted, Vec::new(), None);
        // Who reports first, shop or bank, differs; an order counts once.
        let first = if self.rng.random_bool(0.8) { Stage::Placed } else { Stage::Paid };
        self.stage(first, lines.clone(), total.clone());
        self.stage(Stage::Paid, lines.clone(), total);
        if self.rng.random_bool(self.funnel.refund) {
            let back = v1::Line { quantity: Some(1), ..lines[0].clone() };
            self.stage(Stage::Refunded, vec![back], None);
        }
        if self.rng.random_bool(self.funnel.cancel) {
            self.stage(Stage::Cancelled, Vec::new(), None);
        }
    }
}
