//! What people do besides buying: pages, products, searches, accounts, wishes, ratings, recommendations.

use std::collections::BTreeMap;

use rand::RngExt as _;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::catalogue::{any_category, query};
use super::shop::Shop;
use super::visit::{Recommended, Visit};

const REFERRERS: [(&str, &str); 8] = [
    ("direct", ""),
    ("direct", ""),
    ("direct", ""),
    ("ads", "spring-sale"),
    ("ads", "gifts"),
    ("email", "newsletter"),
    ("social", ""),
    ("https://search.example", ""),
];

/// The first page of a visit, with where it came from.
pub(super) fn landing(shop: &mut Shop, visit: &mut Visit) -> Body {
    let (referrer, campaign) = shop.one_of(&REFERRERS);
    let page = match shop.dice.random_range(0..3) {
        0 => "/".to_owned(),
        1 => format!("/{}", any_category(&mut shop.dice)),
        _ => product_page(shop, visit),
    };
    Body::PageView(v1::PageView { page, referrer: referrer.to_owned(), campaign: campaign.to_owned() })
}

pub(super) fn page(shop: &mut Shop, visit: &mut Visit) -> Body {
    let page = match shop.dice.random_range(0..10) {
        0..4 => format!("/{}", any_category(&mut shop.dice)),
        4..8 => product_page(shop, visit),
        8 if !visit.cart.is_empty() => "/cart".to_owned(),
        8 => "/offers".to_owned(),
        _ => "/".to_owned(),
    };
    Body::PageView(v1::PageView { page, ..v1::PageView::default() })
}

fn product_page(shop: &mut Shop, visit: &mut Visit) -> String {
    let product = look_at(shop, visit);
    format!("/p/{}", shop.catalogue.get(product).id())
}

/// Turns to a product, by popularity.
pub(super) fn look_at(shop: &mut Shop, visit: &mut Visit) -> u32 {
    let product = shop.catalogue.popular(visit.market, &mut shop.dice);
    visit.looked_at = Some(product);
    product
}

/// Says nothing of category and brand: a tracker does not know them, the catalogue does.
pub(super) fn product_view(shop: &mut Shop, visit: &mut Visit) -> Body {
    let product = look_at(shop, visit);
    let product_id = shop.catalogue.get(product).id();
    Body::ProductView(v1::ProductView { product_id, ..v1::ProductView::default() })
}

pub(super) fn search(shop: &mut Shop) -> Body {
    let nothing = shop.chance(0.05);
    let result_count = if nothing { 0 } else { shop.dice.random_range(1..=60) };
    Body::Search(v1::Search { query: query(&mut shop.dice), result_count: Some(result_count) })
}

pub(super) fn browse(shop: &mut Shop) -> Body {
    Body::Browse(v1::Browse { category: any_category(&mut shop.dice).to_owned() })
}

/// The shop learns who it is.
pub(super) fn login(shop: &Shop, visit: &mut Visit) -> Body {
    visit.known = true;
    Body::Login(v1::Login { guest_id: visit.session_id(&shop.run) })
}

pub(super) fn wish(shop: &mut Shop, visit: &mut Visit) -> Body {
    let product = visit.looked_at.unwrap_or_else(|| look_at(shop, visit));
    let removed = shop.chance(0.2);
    Body::WishlistStep(v1::WishlistStep { product_id: shop.catalogue.get(product).id(), removed })
}

pub(super) fn review(shop: &mut Shop, visit: &mut Visit) -> Body {
    let product = visit.looked_at.unwrap_or_else(|| look_at(shop, visit));
    let (rating, title) = shop.one_of(&[
        (5, "Just right"),
        (5, "Would buy again"),
        (4, "Good"),
        (4, ""),
        (3, "As described"),
        (2, "Smaller than it looks"),
        (1, "Came broken"),
    ]);
    Body::Review(v1::Review { product_id: shop.catalogue.get(product).id(), rating, title: title.to_owned() })
}

/// A recommendation is made, then perhaps seen, followed and bought.
pub(super) fn recommendation(shop: &mut Shop, visit: &mut Visit) -> Body {
    use v1::recommendation_step::Outcome;
    if let Some(Recommended { id, outcome }) = visit.recommended.take() {
        let next = match outcome {
            Outcome::Offered => Outcome::Shown,
            Outcome::Shown => Outcome::Clicked,
            _ => Outcome::Bought,
        };
        if next != Outcome::Bought && shop.chance(0.4) {
            visit.recommended = Some(Recommended { id: id.clone(), outcome: next });
        }
        let step =
            v1::RecommendationStep { outcome: next.into(), recommendation_id: id, ..Default::default() };
        return Body::RecommendationStep(step);
    }
    let id = shop.next_id('n');
    let mut product_ids = Vec::with_capacity(3);
    for _ in 0..3 {
        let product = shop.catalogue.popular(visit.market, &mut shop.dice);
        let product = shop.catalogue.get(product).id();
        if !product_ids.contains(&product) {
            product_ids.push(product);
        }
    }
    visit.recommended = Some(Recommended { id: id.clone(), outcome: Outcome::Offered });
    Body::RecommendationStep(v1::RecommendationStep {
        outcome: Outcome::Offered.into(),
        recommendation_id: id,
        product_ids,
        confidence: f64::from(shop.dice.random_range(50..100)) / 100.0,
        reason: "often bought together".to_owned(),
    })
}

/// A kind of the shop's own, with its one detail as a label.
pub(super) fn custom(shop: &mut Shop) -> (Body, BTreeMap<String, String>) {
    let (what, name, value) = shop.one_of(&[
        ("newsletter_signup", "place", "footer"),
        ("coupon_tried", "coupon", "WELCOME10"),
        ("chat_opened", "topic", "delivery"),
    ]);
    let labels = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    (Body::Custom(v1::Custom { r#type: what.to_owned() }), labels)
}
