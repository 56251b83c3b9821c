use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use super::super::numbers::Shards;
use super::super::state::Key;
use super::*;

fn row(query: usize, key: Value, values: Value, rank: Option<i64>) -> Value {
    let range = json!({ "startTime": "2026-11-21T10:00:00Z", "endTime": "2026-11-21T11:00:00Z" });
    let mut row = json!({ "key": key, "window": "1h", "range": range, "values": values });
    if let Some(rank) = rank {
        row["rank"] = rank.into();
    }
    json!({ "frame": { "kind": "KIND_SNAPSHOT" }, "query": query, "row": row })
}

fn euros(minor: &str) -> Value {
    json!({ "amounts": [{ "currencyCode": "EUR", "minorUnits": minor }] })
}

/// A shop on a Saturday.
fn shop() -> State {
    let mut state = State::new("127.0.0.1:7070");
    let whole = |n: i64| json!({ "integer": n.to_string() });
    let product = |rank: i64, id: &str, revenue: &str, units, views| {
        let values = json!({ "revenue": euros(revenue), "units": whole(units), "views": whole(views), "adds": whole(7) });
        row(3, json!({ "product": id }), values, Some(rank))
    };
    let conversion = json!({ "fraction": { "approximate": 0.0312 } });
    let visits = json!({ "orders": whole(388), "revenue": euros("6131040"), "conversion": conversion, "sessions": whole(12_436) });
    let referrer = json!({ "sessions": whole(9_120), "orders": whole(301) });
    let frames = [
        row(0, json!({}), json!({ "events": whole(204) }), None),
        row(1, json!({}), json!({ "users": whole(1_294) }), None),
        row(2, json!({}), visits, None),
        product(1, "p-17", "1284300", 412, 9_120),
        product(2, "p-3", "990150", 655, 7_004),
        product(3, "p-8", "712010", 97, 2_310),
        row(4, json!({ "session.referrer": "direct" }), referrer, Some(1)),
        row(
            5,
            json!({}),
            json!({ "carts": whole(41), "recovered": whole(3), "value": euros("190450") }),
            None,
        ),
        json!({ "frame": { "kind": "KIND_SNAPSHOT_END", "info": { "asOf": "2026-11-21T10:02:41.350Z", "complete": true } } }),
    ];
    for frame in frames {
        state.frame(&frame);
    }
    state.shards(Shards { serving: 16, others: 0, lag: 0, oldest_cut: Some(12) });
    state
}

fn drawn(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(state, frame.area(), frame.buffer_mut())).expect("drawn");
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(line).collect()
}

#[test]
fn at_80_by_24_everything_is_there() {
    let lines = drawn(&shop(), 80, 24);
    let version = env!("CARGO_PKG_VERSION");
    let head = format!("souk {version}  127.0.0.1:7070  live");
    assert_eq!(lines[0], format!("{head:<66}as of 10:02:41"));
    assert_eq!(lines[1], "events/s 204   people 5m 1,294   orders 1h 388   conv 3.1 %");
    assert_eq!(lines[2], "revenue 1h 61,310.40 EUR");
    let expected = [
        "TOP PRODUCTS 1h        revenue   units   views  CARTS LEFT today 41   back 3",
        "p-17             12,843.00 EUR     412   9,120  1,904.50 EUR",
        "p-3               9,901.50 EUR     655   7,004",
        "p-8               7,120.10 EUR      97   2,310  REFERRERS 1h      visits  orders",
    ];
    assert_eq!(lines[4..8], expected);
    assert_eq!(lines[22], "SHARDS 16 serving   lag 0   oldest cut 12 s   held back: none");
    assert_eq!(lines[23], "/ filter   p hold   ? help   q leave");
}

#[test]
fn at_120_by_40_there_are_more_columns() {
    let lines = drawn(&shop(), 120, 40);
    assert!(lines[4].contains("revenue") && lines[4].contains("adds"), "{}", lines[4]);
    assert!(lines[38].starts_with("SHARDS 16 serving"), "{}", lines[38]);
}

#[test]
fn at_40_by_10_numbers_come_first() {
    let lines = drawn(&shop(), 40, 10);
    assert_eq!(lines[1..3], ["events/s 204   people 5m 1,294", "orders 1h 388   conv 3.1 %"]);
    assert!(lines.iter().any(|line| line.starts_with("p-17")), "{lines:#?}");
    assert_eq!(lines[9], "/ filter   p hold   ? help   q leave");
}

#[test]
fn no_size_is_too_small() {
    for (width, height) in [(1, 1), (2, 3), (10, 2), (200, 1), (64, 4), (500, 200)] {
        for mode in [Mode::Numbers, Mode::Filter, Mode::Help] {
            let mut state = shop();
            state.mode = mode;
            assert_eq!(drawn(&state, width, height).len(), usize::from(height));
        }
    }
}

#[test]
fn stale_numbers_are_said_to_be_stale() {
    let mut state = shop();
    state.silence = Some(Duration::from_secs(12));
    let head = drawn(&state, 80, 24).remove(0);
    assert!(head.contains("STALE") && head.ends_with("as of 10:02:41 (nothing heard for 12 s)"), "{head}");
    let mut state = shop();
    state.trouble = Some("127.0.0.1:7070: connection refused".to_owned());
    let lines = drawn(&state, 80, 24);
    assert!(lines[0].contains("STALE"), "{}", lines[0]);
    assert_eq!(lines[23], "127.0.0.1:7070: connection refused");
    let waiting = drawn(&State::new("here"), 80, 24);
    assert!(waiting[0].contains("waiting") && waiting[0].ends_with("nothing reported yet"), "{}", waiting[0]);
}

#[test]
fn a_filter_shows_what_holds_its_letters_and_escape_shows_all() {
    let mut state = shop();
    for key in ['/', 'P', '-', '1'].map(Key::Char) {
        assert!(!state.key(key));
    }
    let lines = drawn(&state, 80, 24);
    assert!(lines[5].starts_with("p-17") && !lines.concat().contains("p-3"), "{lines:#?}");
    assert!(lines[23].starts_with("/P-1_"), "{}", lines[23]);
    assert!(!state.key(Key::Char('q')), "typed into the filter");
    state.key(Key::Backspace);
    state.key(Key::Enter);
    assert!(drawn(&state, 80, 24)[23].starts_with("/P-1   Esc: all"));
    state.key(Key::Escape);
    assert!(drawn(&state, 80, 24).concat().contains("p-3"));
}

#[test]
fn held_numbers_stay_while_new_ones_arrive() {
    let mut state = shop();
    state.key(Key::Char('p'));
    let news = row(1, json!({}), json!({ "users": { "integer": "7" } }), None);
    state.frame(&news);
    let lines = drawn(&state, 80, 24);
    assert!(lines[0].contains("held") && lines[1].contains("people 5m 1,294"), "{lines:#?}");
    state.key(Key::Char('p'));
    assert!(drawn(&state, 80, 24)[1].contains("people 5m 7"));
    assert!(state.key(Key::Char('q')));
}

#[test]
fn rows_that_a_new_snapshot_does_not_repeat_are_gone() {
    let mut state = shop();
    state.frame(&row(3, json!({ "product": "p-9" }), json!({ "revenue": euros("100") }), Some(1)));
    state.frame(&json!({ "frame": { "kind": "KIND_SNAPSHOT_END" } }));
    let lines = drawn(&state, 80, 24);
    assert!(lines[5].starts_with("p-9") && !lines.concat().contains("p-17"), "{lines:#?}");
}

#[test]
fn a_new_hour_replaces_the_old_one() {
    let mut state = shop();
    let mut news = row(3, json!({ "product": "p-9" }), json!({ "revenue": euros("100") }), Some(1));
    news["frame"]["kind"] = "KIND_DELTA".into();
    news["row"]["range"]["startTime"] = "2026-11-21T11:00:00Z".into();
    state.frame(&news);
    let lines = drawn(&state, 80, 24);
    assert!(lines[5].starts_with("p-9") && !lines.concat().contains("p-17"), "{lines:#?}");
}

#[test]
fn off_a_terminal_it_is_text_without_the_keys() {
    let text = plain(&shop(), 80, 24);
    assert!(
        text.starts_with("souk ") && text.contains("p-17  ") && text.contains("SHARDS 16 serving"),
        "{text}"
    );
    assert!(!text.contains("leave") && !text.contains("\n\n\n"), "{text}");
}
