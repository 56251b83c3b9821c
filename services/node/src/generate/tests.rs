//! What the shoppers promise: the same options make the same events, shares come out as asked, every course makes sense.

use std::collections::BTreeMap;

use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::kind::KINDS;
use super::options::Options;
use super::traffic::{Made, Traffic, What};

fn options(seed: u64) -> Options {
    Options::new(200, seed, "t".to_owned(), 1_750_000_000_000)
}

fn events(options: &Options, count: usize) -> Vec<v1::Event> {
    let made = Traffic::new(options).take(count);
    made.filter_map(|made| match made.what {
        What::Event(event) => Some(event),
        What::Broken(_) => None,
    })
    .collect()
}

/// FNV-1a over everything that was made: pins generator, draws and model.
fn digest(made: impl Iterator<Item = Made>) -> u64 {
    made.fold(0xcbf2_9ce4_8422_2325, |hash, made| {
        let bytes = match made.what {
            What::Event(event) => event.encode_to_vec(),
            What::Broken(line) => line.into_bytes(),
        };
        bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

fn faulty(seed: u64) -> Options {
    let part = |text: &str| text.parse().expect("a share");
    Options {
        late: part("0.1"),
        duplicates: part("0.05"),
        malformed: part("0.02"),
        broken_lines: true,
        ..options(seed)
    }
}

#[test]
fn the_generator_and_its_first_values_stay_what_they_are() {
    use rand::{Rng as _, SeedableRng as _};
    let mut dice = super::shop::Dice::seed_from_u64(1);
    let first: [u64; 3] = std::array::from_fn(|_| dice.next_u64());
    assert_eq!(first, [14971601782005023387, 13781649495232077965, 1847458086238483744]);
    assert_eq!(digest(Traffic::new(&options(1)).take(20_000)), 12782330316797517751);
    assert_eq!(digest(Traffic::new(&faulty(1)).take(20_000)), 10570142492030836288);
}

#[test]
fn the_same_options_make_the_same_events_and_another_seed_others() {
    let made = |seed| Traffic::new(&faulty(seed)).take(5_000).collect::<Vec<_>>();
    assert_eq!(made(7), made(7));
    assert_ne!(made(7), made(8));
}

#[test]
fn every_event_is_one_that_a_node_takes() {
    for event in events(&options(3), 20_000) {
        let judged = souk_model::record::validate_event(&event);
        assert_eq!(judged, Ok(()), "{event:?}");
    }
}

#[test]
fn products_are_announced_first() {
    let events = events(&options(1), 300);
    let announced = |event: &v1::Event| matches!(&event.kind, Some(Body::ProductStep(step)) if step.update_mask.is_none());
    assert!(events[..200].iter().all(announced));
    assert!(!events[200..].iter().any(announced));
}

/// Kind of a slot, from what it became.
fn kind(event: &v1::Event) -> &'static str {
    use v1::cart_step::Action;
    use v1::order_step::Stage;
    match event.kind.as_ref().expect("a kind") {
        Body::PageView(_) => "page_view",
        Body::ProductView(_) => "product_view",
        Body::CartStep(step) if step.action() == Action::Add => "cart_add",
        Body::CartStep(_) => "cart_change",
        Body::OrderStep(step) if matches!(step.stage(), Stage::Cancelled | Stage::Refunded) => "after_order",
        Body::OrderStep(_) => "checkout",
        Body::Search(_) => "search",
        Body::Browse(_) => "browse",
        Body::Login(_) => "login",
        Body::Logout(_) => "logout",
        Body::WishlistStep(_) => "wishlist",
        Body::Review(_) => "review",
        Body::RecommendationStep(_) => "recommendation",
        Body::Transaction(_) => "transaction",
        Body::Trip(_) => "trip",
        Body::StockStep(_) => "stock",
        Body::ProductStep(_) => "price",
        Body::Custom(_) => "custom",
    }
}

#[test]
fn kinds_come_in_the_shares_asked_for() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let made = events(&options(2), 100_200);
    for event in &made[200..] {
        *counts.entry(kind(event)).or_default() += 1;
    }
    for (_, name, weight) in KINDS {
        let share = counts.get(name).copied().unwrap_or_default() as f64 / 100_000.0;
        let asked = f64::from(weight) / 1_000.0;
        assert!((share - asked).abs() < 0.004 + asked * 0.02, "{name}: {share} instead of {asked}");
    }
}

#[test]
fn weights_of_the_funnel_alone_come_out_too() {
    let weights = "page_view=.5,cart_add=.3,checkout=.2".parse().expect("weights");
    let made = events(&Options { weights, ..options(5) }, 50_200);
    let count = |name| made[200..].iter().filter(|event| kind(event) == name).count() as f64 / 50_000.0;
    for (name, asked) in [("page_view", 0.5), ("cart_add", 0.3), ("checkout", 0.2)] {
        assert!((count(name) - asked).abs() < 0.01, "{name}: {}", count(name));
    }
}

#[test]
fn any_single_weight_makes_events_without_growing() {
    for (_, name, _) in KINDS {
        let weights = format!("{name}=1").parse().expect("weights");
        let made = events(&Options { weights, products: 3, ..options(6) }, 6_000);
        assert_eq!(made.len(), 6_000, "{name}");
    }
}

/// Carts begun in the first half of a run, and how many of them were bought by its end.
fn carts(events: &[v1::Event]) -> (usize, usize) {
    let mut carts: BTreeMap<&str, bool> = BTreeMap::new();
    for (n, event) in events.iter().enumerate() {
        match &event.kind {
            Some(Body::CartStep(step)) if step.line.is_some() && n < events.len() / 2 => {
                carts.entry(&step.cart_id).or_default();
            }
            Some(Body::OrderStep(step)) if step.stage() == v1::order_step::Stage::Placed => {
                carts.entry(&step.cart_id).and_modify(|bought| *bought = true);
            }
            _ => {}
        }
    }
    (carts.len(), carts.values().filter(|bought| **bought).count())
}

#[test]
fn so_many_carts_are_left_behind_as_asked() {
    for (abandon, least, most) in [("0", 0.95, 1.0), ("0.6", 0.36, 0.44), ("1", 0.0, 0.0)] {
        let options = Options { abandon: abandon.parse().expect("a share"), ..options(4) };
        let (all, bought) = carts(&events(&options, 60_000));
        let part = bought as f64 / all as f64;
        assert!((least..=most).contains(&part), "{abandon}: {bought} of {all} were bought");
    }
}

#[test]
fn an_order_goes_its_way_in_order_and_in_one_currency() {
    use v1::order_step::Stage;
    let mut reached: BTreeMap<&str, Vec<Stage>> = BTreeMap::new();
    let events = events(&options(9), 40_000);
    for event in &events {
        let Some(Body::OrderStep(step)) = &event.kind else { continue };
        reached.entry(&step.order_id).or_default().push(step.stage());
        let total = step.total.iter().map(|total| &total.currency_code);
        let lines =
            step.lines.iter().filter_map(|line| line.unit_price.as_ref()).map(|price| &price.currency_code);
        let mut codes: Vec<_> = total.chain(lines).collect();
        codes.dedup();
        assert!(codes.len() <= 1, "{step:?}");
    }
    assert!(reached.len() > 500, "{} orders", reached.len());
    for (order, stages) in reached {
        let mut before = None;
        for stage in stages {
            let follows = match stage {
                Stage::CheckoutStarted => before.is_none(),
                Stage::PaymentStarted => {
                    matches!(before, Some(Stage::CheckoutStarted | Stage::PaymentFailed))
                }
                Stage::Paid | Stage::PaymentFailed => before == Some(Stage::PaymentStarted),
                Stage::Placed => before == Some(Stage::Paid),
                Stage::Cancelled | Stage::Refunded => before == Some(Stage::Placed),
                Stage::Unspecified => false,
            };
            assert!(follows, "{order}: {stage:?} after {before:?}");
            before = Some(stage);
        }
    }
}

#[test]
fn people_come_by_activity_on_devices_of_their_own_and_as_guests() {
    let events = events(&options(1), 100_000);
    let mut people: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut guests = 0;
    for event in events.iter().filter(|event| !event.session_id.is_empty()) {
        match event.user_id.as_str() {
            "" => guests += 1,
            user => *people.entry(user).or_default().entry(&event.device_id).or_default() += 1,
        }
    }
    assert!((20_000..80_000).contains(&guests), "{guests} events of guests");
    assert!((2_500..=5_000).contains(&people.len()), "{} people", people.len());
    let most = people.values().map(BTreeMap::len).max();
    assert_eq!(most, Some(3), "devices of a person");
    let count = |user: &str| people.get(user).map_or(0, |devices| devices.values().sum::<usize>());
    assert!(count("u-1") > 4 * count("u-1000"), "{} and {}", count("u-1"), count("u-1000"));
}

#[test]
fn faults_come_in_the_shares_asked_for_and_leave_the_shoppers_alone() {
    let count = 50_000;
    let made: Vec<Made> = Traffic::new(&faulty(2)).take(count).collect();
    let (mut broken, mut malformed, mut late, mut ids) = (0, 0, 0, BTreeMap::new());
    for (n, made) in made.iter().enumerate() {
        let What::Event(event) = &made.what else {
            broken += 1;
            continue;
        };
        *ids.entry(event.event_id.as_str()).or_insert(0) += 1;
        if event.source == "malformed" {
            assert!(souk_model::record::validate_event(event).is_err(), "{event:?}");
            malformed += 1;
        } else if event.event_id == format!("t-{n}") {
            let due = 1_750_000_000_000 + i64::try_from(made.due.as_millis()).expect("small");
            let told = event.event_time.map(|time| time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000);
            late += usize::from(told.expect("a time") < due - 4_000);
        }
    }
    let repeated: usize = ids.values().map(|times| times - 1).sum();
    for (what, part, asked) in [
        ("broken", broken, 0.01),
        ("malformed", malformed, 0.01),
        ("late", late, 0.09),
        ("repeated", repeated, 0.049),
    ] {
        let part = part as f64 / count as f64;
        assert!((part - asked).abs() < asked * 0.2, "{what}: {part} instead of {asked}");
    }
    let bare = |event: &v1::Event| (event.user_id.clone(), event.session_id.clone(), event.kind.clone());
    let straight = events(&options(2), 1_000);
    let faulty: Vec<_> = made
        .iter()
        .enumerate()
        .filter_map(|(n, made)| match &made.what {
            What::Event(event) if event.event_id == format!("t-{n}") && event.source != "malformed" => {
                Some(bare(event))
            }
            _ => None,
        })
        .take(1_000)
        .collect();
    assert_eq!(faulty, straight.iter().map(bare).collect::<Vec<_>>());
}
