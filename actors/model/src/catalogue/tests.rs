use std::sync::Arc;

use proptest::prelude::*;

use super::{Catalogue, Query};
use crate::key::ActorKey;
use crate::limits::LIST_SCAN;
use crate::product::{Product, Text};

fn product(title: &str, category: &str, rating: Option<f64>) -> Product {
    Product::described(Text { title: title.into(), category: category.into(), rating, ..Text::default() })
}

fn key(id: &str) -> ActorKey {
    ActorKey::new("main", id)
}

fn shelf() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (id, title, category, rating) in [
        ("p-1", "Blue mug", "mugs", Some(4.5)),
        ("p-2", "Blue-grey TEAPOT", "pots", Some(3.9)),
        ("p-3", "Red mug", "mugs", None),
        ("p-4", "Bluebell vase", "vases", Some(4.0)),
    ] {
        catalogue.upsert(&key(id), &product(title, category, rating));
    }
    catalogue.upsert(&ActorKey::new("other", "p-1"), &product("Blue mug", "mugs", None));
    catalogue
}

fn ids(catalogue: &Catalogue, query: &Query<'_>) -> Vec<Arc<str>> {
    let page = catalogue.list("main", query, None, 100);
    assert_eq!(page.next, None);
    page.products
}

#[test]
fn everything_asked_must_hold() {
    let catalogue = shelf();
    let all = Query::default();
    for (query, want) in [
        (all, &["p-1", "p-2", "p-3", "p-4"][..]),
        (Query { text: "blue", ..all }, &["p-1", "p-2", "p-4"]),
        (Query { text: "BLUE mu", ..all }, &["p-1"]),
        (Query { text: "teapot grey", ..all }, &["p-2"]),
        (Query { text: "ug", ..all }, &[]),
        (Query { text: "--", ..all }, &["p-1", "p-2", "p-3", "p-4"]),
        (Query { category: Some("mugs"), ..all }, &["p-1", "p-3"]),
        (Query { category: Some("mug"), ..all }, &[]),
        (Query { featured: true, ..all }, &["p-1", "p-4"]),
        (Query { featured: true, text: "blue", category: Some("vases") }, &["p-4"]),
    ] {
        let found = ids(&catalogue, &query);
        assert_eq!(found.iter().map(|id| &**id).collect::<Vec<_>>(), want, "{query:?}");
    }
    assert_eq!(catalogue.list("nowhere", &all, None, 10).products, []);
}

#[test]
fn a_changed_product_leaves_its_old_words() {
    let mut catalogue = shelf();
    catalogue.upsert(&key("p-1"), &product("Green cup", "cups", None));
    assert_eq!(ids(&catalogue, &Query { text: "mug", ..Query::default() }), ["p-3".into()]);
    assert_eq!(ids(&catalogue, &Query { text: "green", ..Query::default() }), ["p-1".into()]);
    for id in ["p-1", "p-2", "p-3", "p-4"] {
        catalogue.remove(&key(id));
    }
    catalogue.upsert(&ActorKey::new("other", "p-1"), &Product::default());
    assert!(catalogue.is_empty(), "a product that does not exist is not listed");
    assert!(catalogue.shops.is_empty());
}

#[test]
fn a_long_look_ends_early_with_a_token() {
    let mut catalogue = Catalogue::default();
    for n in 0..LIST_SCAN + 5 {
        // Both letters begin more words than are joined, and no product has both.
        let letter = if n % 2 == 0 { "x" } else { "y" };
        catalogue.upsert(&key(&format!("p-{n:06}")), &product(&format!("{letter}{n}"), "", None));
    }
    catalogue.upsert(&key("q"), &product("xylophone yellow", "", None));
    let query = Query { text: "x y", ..Query::default() };
    let first = catalogue.list("main", &query, None, 10);
    assert_eq!((first.products.len(), first.next.is_some()), (0, true));
    let second = catalogue.list("main", &query, first.next.as_deref(), 10);
    assert_eq!((second.products, second.next), (vec!["q".into()], None));
}

proptest! {
    /// Pages of any size, put together, are what a plain filter finds.
    #[test]
    fn pages_join_to_the_whole(
        titles in prop::collection::btree_map("[a-c]{1,2}", "[ab]{1,3}( [ab]{1,3}){0,2}", 0..30),
        text in "[ab]{0,2}( [ab]{1,2})?",
        limit in 1..7_usize,
    ) {
        let mut catalogue = Catalogue::default();
        for (id, title) in &titles {
            catalogue.upsert(&key(id), &product(title, "", None));
        }
        let query = Query { text: &text, ..Query::default() };
        let mut found = Vec::new();
        let mut after: Option<Arc<str>> = None;
        loop {
            let page = catalogue.list("main", &query, after.as_deref(), limit);
            prop_assert!(page.products.len() <= limit);
            found.extend(page.products);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let holds = |title: &str| {
            text.split_whitespace().all(|prefix| title.split(' ').any(|word| word.starts_with(prefix)))
        };
        let want: Vec<Arc<str>> = titles.iter().filter(|(_, title)| holds(title)).map(|(id, _)| (**id).into()).collect();
        prop_assert_eq!(found, want);
    }
}
