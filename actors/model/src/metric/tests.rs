use super::*;
use crate::fact::{Detail, Fact, FactKind, Item, Sign, Who};
use crate::money::{Currency, Money};
use crate::time::{DAY, HOUR, MINUTE, SECOND};

fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).unwrap_or_else(|| panic!("{name} is not bundled"))
}

/// Milliseconds of an RFC 3339 time.
fn at(text: &str) -> Millis {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn range(start: &str, end: &str) -> TimeRange {
    TimeRange { start: at(start), end: at(end) }
}

#[test]
fn calendar_windows_follow_the_zone() {
    let berlin = zone("Europe/Berlin");
    for (window, t, want) in [
        (Window::Day, "2026-03-29T12:00:00Z", range("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")), // 23 hours
        (Window::Day, "2026-10-25T22:59:59Z", range("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")), // 25 hours
        (Window::Week, "2026-11-21T10:00:00Z", range("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z")),
        (Window::Month, "2026-10-31T23:30:00Z", range("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")),
        (Window::Month, "2024-02-10T00:00:00Z", range("2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z")),
    ] {
        assert_eq!(window.instance_of(&berlin, at(t)), want, "{window} at {t}");
    }
    let utc = TimeZone::UTC;
    assert_eq!(
        Window::Week.instance_of(&utc, at("2026-11-22T23:59:59Z")),
        range("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z")
    );
    assert_eq!(Window::Month.instance_of(&utc, -1), range("1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"));
}

#[test]
fn days_hold_their_times_where_midnight_is_odd() {
    // Clocks that skip midnight, go back across it, or leave out a whole day.
    for (name, from) in [
        ("America/Havana", "2024-03-09T12:00:00Z"),
        ("America/Sao_Paulo", "2018-02-16T12:00:00Z"),
        ("America/Sao_Paulo", "2018-11-03T12:00:00Z"),
        ("America/St_Johns", "2006-10-28T12:00:00Z"),
        ("Pacific/Apia", "2011-12-28T12:00:00Z"),
        ("America/Toronto", "1919-03-30T12:00:00Z"),
        ("Africa/Monrovia", "1971-12-31T12:00:00Z"),
    ] {
        let zone = zone(name);
        let first = at(from);
        let mut before = zone.day(first);
        for minute in 0..3 * 1_440 {
            let t = first + minute * MINUTE;
            let day = zone.day(t);
            assert!(day.contains(t), "{name} at {t}: {day:?}");
            assert!(day == before || day.start == before.end, "{name} at {t}: {before:?} then {day:?}");
            assert!(zone.week(t).contains(t) && zone.month(t).contains(t), "{name} at {t}");
            before = day;
        }
    }
}

#[test]
fn sliding_windows_end_at_every_step() {
    let window = Window::Sliding { size: 5 * MINUTE, step: MINUTE };
    let t = 10 * MINUTE + 1;
    let ends: Vec<_> = window.instances_of(&TimeZone::UTC, t).map(|range| range.end / MINUTE).collect();
    assert_eq!(ends, [11, 12, 13, 14, 15]);
    assert!(window.instances_of(&TimeZone::UTC, t).all(|range| range.contains(t)));
    let first = window.instance_of(&TimeZone::UTC, t);
    assert_eq!(window.next(&TimeZone::UTC, first).end, 12 * MINUTE);
    // A time on a step belongs to the windows after it.
    assert_eq!(window.instance_of(&TimeZone::UTC, 10 * MINUTE).end, 11 * MINUTE);
    assert_eq!(
        Window::Tumbling { size: HOUR }.instance_of(&TimeZone::UTC, -1),
        TimeRange { start: -HOUR, end: 0 }
    );
}

#[test]
fn panes_divide_every_window() {
    let tumbling = |size| Window::Tumbling { size };
    let sliding = |size, step| Window::Sliding { size, step };
    let utc = TimeZone::UTC;
    for (windows, zone, want) in [
        (vec![Window::Total], utc.clone(), PaneSize::None),
        (vec![Window::Month, Window::Total, Window::Day], utc.clone(), PaneSize::Day),
        (
            vec![sliding(5 * MINUTE, SECOND), sliding(30 * MINUTE, MINUTE)],
            utc.clone(),
            PaneSize::Fixed(SECOND),
        ),
        (vec![tumbling(90 * SECOND), tumbling(MINUTE)], utc.clone(), PaneSize::Fixed(30 * SECOND)),
        (vec![tumbling(7 * HOUR), Window::Day], utc.clone(), PaneSize::Fixed(HOUR)),
        (vec![tumbling(5 * MINUTE), tumbling(HOUR), Window::Day], utc, PaneSize::Fixed(5 * MINUTE)),
        (vec![tumbling(HOUR), Window::Day], zone("Asia/Kathmandu"), PaneSize::Fixed(15 * MINUTE)),
    ] {
        assert_eq!(PaneSize::finest(&windows, &zone), want, "{windows:?}");
    }
    let kathmandu = zone("Asia/Kathmandu");
    let day = kathmandu.day(at("2026-11-21T10:00:00Z"));
    assert_eq!(
        (PaneSize::Fixed(15 * MINUTE).pane_of(&kathmandu, day.start).map(|pane| pane.start)),
        Some(day.start)
    );
    assert_eq!(PaneSize::Day.end_of(&kathmandu, day.start), day.end);
}

#[test]
fn windows_are_written_as_they_are_declared() {
    for (window, want) in [
        (Window::Total, "total"),
        (Window::Week, "week"),
        (Window::Tumbling { size: 90 * SECOND }, "90s"),
        (Window::Tumbling { size: DAY }, "1d"),
        (Window::Sliding { size: HOUR, step: MINUTE }, "1h/1m"),
    ] {
        assert_eq!(window.to_string(), want);
    }
}

proptest::proptest! {
    #[test]
    fn no_time_panics_and_every_known_time_is_held(t in proptest::num::i64::ANY, near in -200_000_000_000_000..200_000_000_000_000_i64) {
        let zones = ["UTC", "Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu"];
        let windows = [
            Window::Total, Window::Day, Window::Week, Window::Month,
            Window::Tumbling { size: 7 * MINUTE }, Window::Sliding { size: 400 * DAY, step: DAY },
        ];
        for zone in zones.map(zone) {
            for window in windows {
                for t in [t, near, EARLIEST, LATEST, Millis::MIN, Millis::MAX] {
                    let held = window.instance_of(&zone, t);
                    proptest::prop_assert!(held.start < held.end);
                    if (EARLIEST..LATEST).contains(&t) {
                        proptest::prop_assert!(held.contains(t), "{window} of {zone:?} at {t}: {held:?}");
                        let next = window.next(&zone, held);
                        proptest::prop_assert!(window == Window::Total || next.end > held.end);
                    }
                }
            }
        }
    }
}

fn euros(minor: i64) -> Money {
    Money { currency: Currency::parse("EUR").unwrap(), minor }
}

/// One fact of each kind, every text of it set.
fn samples() -> Vec<Detail<'static>> {
    let item = Item { product: "v", category: "v", brand: "v", quantity: 2, amount: Some(euros(5)) };
    let amount = Some(euros(5));
    vec![
        Detail::Event { kind: "v" },
        Detail::PageView { page: "v", referrer: "v", campaign: "v" },
        Detail::ProductView { product: "v", category: "v", brand: "v" },
        Detail::CartAdd(item),
        Detail::CartRemove(item),
        Detail::OrderLine(item),
        Detail::RefundLine(item),
        Detail::CheckoutStarted { order: "v", amount },
        Detail::OrderPlaced { order: "v", amount },
        Detail::Refund { order: "v", amount },
        Detail::CartAbandoned { stage: "v", amount },
        Detail::CartRecovered { stage: "v", amount },
        Detail::SessionStarted,
        Detail::SessionEnded { pages: 1, duration: 1 },
        Detail::Search { query: "v" },
        Detail::Review { product: "v", rating: 5 },
        Detail::JourneyStep { from: "v", to: "v" },
        Detail::Transaction { kind: "v", category: "v", merchant: "v", location: "v", amount: euros(-7) },
        Detail::Trip { region: 42, fare: euros(5), duration: 1, distance_meters: 1, vehicle_type: "v" },
    ]
}

fn fact(detail: Detail<'static>) -> Fact<'static> {
    let who = Who {
        shop: "main",
        user: "u",
        session: "u",
        device: "u",
        source: "u",
        session_referrer: "u",
        session_campaign: "u",
        labels: None,
    };
    Fact { time: 0, sign: Sign::Counted, who, detail }
}

#[test]
fn every_fact_has_the_fields_it_is_said_to_have() {
    let samples = samples();
    assert_eq!(samples.len(), FactKind::COUNT);
    for detail in samples {
        let (fact, kind) = (fact(detail), detail.kind());
        for (field, name) in Field::ALL {
            assert_eq!(fact.field(field) != UNKNOWN, field.is_of(kind), "{name} of {}", kind.name());
        }
        for (quantity, name) in Quantity::ALL {
            let number = fact.number(quantity);
            assert_eq!(number.is_some(), quantity.is_of(kind), "{name} of {}", kind.name());
            assert_eq!(
                matches!(number, Some(Value::Money(_))),
                number.is_some() && quantity.is_money(),
                "{name}"
            );
        }
    }
}

#[test]
fn dimensions_read_without_surprises() {
    let trip = fact(samples()[18]);
    assert_eq!(trip.field(Field::Region), "42");
    let transaction = fact(samples()[17]);
    assert_eq!(transaction.number(Quantity::MinorUnitsUnsigned), Some(Value::Number(7)));
    assert_eq!(trip.text(&Dimension::Label("shop".to_owned())), UNKNOWN);

    let labels = [("tier".to_owned(), "gold".to_owned())].into();
    let mut labelled = fact(Detail::SessionStarted);
    labelled.who.labels = Some(&labels);
    assert_eq!(labelled.text(&Dimension::Label("tier".to_owned())), "gold");

    let long = format!("{}é", "x".repeat(255));
    let cut = Fact { detail: Detail::Search { query: &long }, ..fact(Detail::SessionStarted) };
    assert_eq!(cut.field(Field::Query).len(), 255);
}

#[test]
fn names_parse_to_what_they_name() {
    for (place, (field, name)) in Field::ALL.into_iter().enumerate() {
        assert_eq!((Field::parse(name), field.name(), field as usize), (Some(field), name, place));
    }
    for (place, (quantity, name)) in Quantity::ALL.into_iter().enumerate() {
        assert_eq!(
            (Quantity::parse(name), quantity.name(), quantity as usize),
            (Some(quantity), name, place)
        );
    }
    assert_eq!(Dimension::parse("label.tier").map(|dimension| dimension.name()), Some("label.tier".into()));
    assert_eq!((Dimension::parse("label."), Dimension::parse("colour")), (None, None));
}
