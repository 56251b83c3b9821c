//! What a visitor does without buying: views, searches, accounts, wishes, opinions.

use souk_proto::v1;

use crate::limits::RECOMMENDED;
use crate::record::check::{self, Checked, missing};

pub(super) fn page_view(view: &v1::PageView) -> Checked {
    check::text("page", &view.page)?;
    check::optional_text("referrer", &view.referrer)?;
    check::optional_text("campaign", &view.campaign)
}

pub(super) fn product_view(view: &v1::ProductView) -> Checked {
    check::id("product_id", &view.product_id)?;
    check::optional_text("category", &view.category)?;
    check::optional_text("brand", &view.brand)
}

pub(super) fn search(search: &v1::Search) -> Checked {
    check::optional_text("query", &search.query)?;
    match search.result_count {
        Some(found) => check::range("result_count", i64::from(found), 0, i64::from(i32::MAX)),
        None => Ok(()),
    }
}

pub(super) fn browse(browse: &v1::Browse) -> Checked {
    check::text("category", &browse.category)
}

pub(super) fn login(login: &v1::Login) -> Checked {
    check::optional_id("guest_id", &login.guest_id)
}

pub(super) fn wishlist_step(step: &v1::WishlistStep) -> Checked {
    check::id("product_id", &step.product_id)
}

pub(super) fn review(review: &v1::Review) -> Checked {
    check::id("product_id", &review.product_id)?;
    check::range("rating", i64::from(review.rating), 1, 5)?;
    check::optional_text("title", &review.title)
}

pub(super) fn recommendation_step(step: &v1::RecommendationStep) -> Checked {
    use v1::recommendation_step::Outcome;
    let outcome = check::said::<Outcome>("outcome", step.outcome)?;
    if outcome == Outcome::Offered {
        check::optional_id("recommendation_id", &step.recommendation_id)?;
        if step.product_ids.is_empty() {
            return Err(missing("product_ids"));
        }
    } else {
        check::id("recommendation_id", &step.recommendation_id)?;
    }
    check::count("product_ids", step.product_ids.len(), RECOMMENDED)?;
    check::each("product_ids", &step.product_ids, |product| check::id("", product))?;
    check::float_range("confidence", step.confidence, 0.0, 1.0)?;
    check::optional_text("reason", &step.reason)
}

pub(super) fn custom(custom: &v1::Custom) -> Checked {
    check::text("type", &custom.r#type)
}
