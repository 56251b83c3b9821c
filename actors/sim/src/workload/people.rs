//! What people do: they look, search, fill carts, sign in. Some of it is malformed.

use souk_model::time::Millis;
use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind;

use super::build::{euros, money, product_id};
use super::{Request, Workload};
use crate::faults::Chaos;

const PAGES: [&str; 4] = ["/", "/mugs", "/sale", "/cart"];
const REFERRERS: [&str; 3] = ["direct", "email", ""];

impl Workload {
    pub(super) fn person(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        let user = self.user(chaos);
        let kind = match self.rng.below(100) {
            0..=25 => self.page_view(),
            26..=39 => {
                let product_id = product_id(self.product(chaos));
                Kind::ProductView(v1::ProductView { product_id, ..v1::ProductView::default() })
            }
            40..=74 => self.cart_step(chaos),
            75..=80 => Kind::Search(v1::Search { query: "mug".into(), result_count: Some(3) }),
            81..=83 => Kind::Browse(v1::Browse { category: "mugs".into() }),
            84..=89 => self.login(),
            90..=91 => Kind::Logout(v1::Logout {}),
            92..=93 => Kind::WishlistStep(v1::WishlistStep {
                product_id: product_id(self.product(chaos)),
                removed: false,
            }),
            94..=96 => {
                let (product_id, rating) = (product_id(self.product(chaos)), self.rng.between(0, 5) as i32);
                Kind::Review(v1::Review { product_id, rating, title: String::new() })
            }
            _ => Kind::Custom(v1::Custom { r#type: "wave".into() }),
        };
        self.event(now, &user, kind, chaos)
    }

    fn page_view(&mut self) -> Kind {
        // A page view without a page is malformed.
        let page = if self.rng.one_in(30) { "" } else { PAGES[self.rng.index(PAGES.len())] };
        let referrer = REFERRERS[self.rng.index(REFERRERS.len())];
        Kind::PageView(v1::PageView { page: page.into(), referrer: referrer.into(), campaign: String::new() })
    }

    fn login(&mut self) -> Kind {
        let guest = if self.rng.one_in(3) { None } else { self.guest() };
        let guest_id = guest.map_or_else(String::new, |guest| format!("s-{guest}"));
        Kind::Login(v1::Login { guest_id })
    }

    fn cart_step(&mut self, chaos: &mut Chaos) -> Kind {
        let at = self.product(chaos);
        let action = match self.rng.below(20) {
            0..=11 => Action::Add,
            12..=14 => Action::SetQuantity,
            15..=17 => Action::Remove,
            18 => Action::Clear,
            _ => Action::View,
        };
        let quantity = match self.rng.below(20) {
            0..=4 => None,
            5 => Some(self.rng.between(900, 1_100) as i32),
            _ => Some(self.rng.between(1, 3) as i32),
        };
        let unit_price = match self.rng.below(10) {
            0 => Some(money("USD", 500)),
            1..=3 => Some(euros(self.rng.between(1, 5_000))),
            _ => None,
        };
        let line = v1::Line { product_id: product_id(at), quantity, unit_price, ..v1::Line::default() };
        Kind::CartStep(v1::CartStep { action: action as i32, line: Some(line), ..v1::CartStep::default() })
    }
}
