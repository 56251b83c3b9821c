//! What events say.

use prost_types::{Duration, FieldMask};
use souk_proto::v1::event::Kind;
use souk_proto::v1::order_step::Stage;
use souk_proto::v1::{
    Browse, CartStep, Custom, Line, Login, Logout, OrderStep, PageView, Product, ProductStep, ProductView,
    Review, Search, Stock, StockStep, Transaction, Trip, WishlistStep, cart_step, stock, stock_step,
    transaction,
};

use crate::author::Author;

impl Author {
    /// Something a person does.
    pub(crate) fn person_kind(&mut self, user: &str) -> Kind {
        match self.rng.below(40) {
            0..10 => self.page_view(),
            10..14 => {
                let Line { product_id, category, brand, .. } = self.line();
                Kind::ProductView(ProductView { product_id, category, brand })
            }
            14..25 => self.cart_step(),
            25..32 => self.order_step(),
            32 => Kind::Search(Search {
                query: ["", "mug", "hat"][self.rng.index(3)].to_owned(),
                result_count: Some(3),
            }),
            33 => {
                let rating = self.rng.between(1, 5) as i32;
                Kind::Review(Review { product_id: self.product(), rating, title: String::new() })
            }
            34 | 35 if !user.is_empty() => {
                let guest_id = if self.rng.one_in(4) {
                    String::new()
                } else {
                    format!("s{}", self.rng.index(self.shape.guests))
                };
                Kind::Login(Login { guest_id })
            }
            36 => Kind::WishlistStep(WishlistStep { product_id: self.product(), removed: false }),
            37 => Kind::Browse(Browse { category: "mugs".to_owned() }),
            38 => Kind::Custom(Custom { r#type: "poll".to_owned() }),
            39 => self.ledger_kind(),
            _ => Kind::Logout(Logout {}),
        }
    }

    fn page_view(&mut self) -> Kind {
        let page = ["/", "/mugs", "/hats", "/cart"][self.rng.index(4)].to_owned();
        let referrer = ["", "ads", "email"][self.rng.index(3)].to_owned();
        let campaign = ["", "", "spring"][self.rng.index(3)].to_owned();
        Kind::PageView(PageView { page, referrer, campaign })
    }

    fn cart_step(&mut self) -> Kind {
        use cart_step::Action;
        let action = match self.rng.below(12) {
            0..7 => Action::Add,
            7 | 8 => Action::Remove,
            9 => Action::SetQuantity,
            10 => Action::Clear,
            _ => Action::View,
        };
        let line = Some(self.line());
        Kind::CartStep(CartStep { action: action.into(), line, ..CartStep::default() })
    }

    fn order_step(&mut self) -> Kind {
        let stages = [
            Stage::CheckoutStarted,
            Stage::PaymentStarted,
            Stage::Paid,
            Stage::PaymentFailed,
            Stage::Placed,
            Stage::Placed,
            Stage::Cancelled,
            Stage::Refunded,
        ];
        let stage = stages[self.rng.index(stages.len())];
        let order_id = if self.rng.one_in(12) { String::new() } else { self.order() };
        let lines = (0..self.rng.below(4)).map(|_| self.line()).collect();
        let total = if self.rng.one_in(2) { Some(self.money(3_000)) } else { None };
        Kind::OrderStep(OrderStep { stage: stage.into(), order_id, lines, total, ..OrderStep::default() })
    }

    pub(crate) fn order(&mut self) -> String {
        format!("o{}", self.rng.below(8))
    }

    /// Money or a trip: of somebody or of nobody.
    pub(crate) fn ledger_kind(&mut self) -> Kind {
        if self.rng.one_in(2) {
            use transaction::Type;
            let kind = [Type::Purchase, Type::Refund, Type::Transfer][self.rng.index(3)];
            let transaction_id =
                if self.rng.one_in(3) { String::new() } else { format!("t{}", self.rng.below(20)) };
            return Kind::Transaction(Transaction {
                r#type: kind.into(),
                transaction_id,
                amount: Some(self.money(10_000)),
                category: ["", "mugs"][self.rng.index(2)].to_owned(),
                merchant: ["", "acme"][self.rng.index(2)].to_owned(),
                location: ["Berlin", "Pune"][self.rng.index(2)].to_owned(),
            });
        }
        let (seconds, nanos) = (self.rng.between(60, 4_000), self.rng.between(0, 999_999_999) as i32);
        Kind::Trip(Trip {
            trip_id: if self.rng.one_in(3) { String::new() } else { format!("t{}", self.rng.below(20)) },
            region_id: self.rng.between(1, 4) as i32,
            fare: Some(self.money(1_000)),
            duration: Some(Duration { seconds, nanos }),
            distance_meters: self.rng.between(100, 50_000),
            vehicle_type: ["", "car", "bike"][self.rng.index(3)].to_owned(),
            ..Trip::default()
        })
    }

    /// What the owner of the products says of one.
    pub(crate) fn goods_kind(&mut self) -> Kind {
        if self.rng.one_in(3) {
            let (product, mask) = self.product_change();
            let update_mask = mask.map(|paths| FieldMask { paths });
            return Kind::ProductStep(Box::new(ProductStep { product: Some(product), update_mask }));
        }
        let change = if self.rng.one_in(2) {
            stock_step::Change::Level(self.rng.between(0, 12))
        } else {
            stock_step::Change::Delta(self.rng.between(-6, 8))
        };
        Kind::StockStep(StockStep {
            product_id: self.product(),
            change: Some(change),
            ..StockStep::default()
        })
    }

    /// A product as it is to become, and which of its fields count.
    pub(crate) fn product_change(&mut self) -> (Product, Option<Vec<String>>) {
        let modes =
            [stock::Mode::None, stock::Mode::Track, stock::Mode::ReserveOnOrder, stock::Mode::ReserveOnOrder];
        let rng = &mut self.rng;
        let stock = Stock {
            mode: if rng.one_in(3) { 0 } else { modes[rng.index(4)].into() },
            available: rng.one_in(2).then(|| rng.between(0, 10)),
            low_below: rng.one_in(4).then(|| rng.between(0, 5)),
            ..Stock::default()
        };
        let product = Product {
            name: format!("products/{}", self.product()),
            title: ["", "Mug", "Hat"][self.rng.index(3)].to_owned(),
            price: if self.rng.one_in(2) { Some(self.money(1_000)) } else { None },
            stock: (!self.rng.one_in(3)).then_some(stock),
            ..Product::default()
        };
        let paths = ["title", "price", "stock.mode", "stock.low_below"];
        let mask = self.rng.one_in(4).then(|| vec![paths[self.rng.index(4)].to_owned()]);
        (product, mask)
    }
}
