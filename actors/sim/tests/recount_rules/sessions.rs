//! Section 4: sessions, and the facts they make and take back.

use super::journal::{DAY0, FACTS, HOUR, MINUTE, SECOND, Shard, by, counted, fact, page, user};

#[test]
fn a_gap_of_thirty_minutes_still_joins() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", page("/1", "ads")));
    users.event(DAY0 + 30 * MINUTE, by("a", "2", page("/2", "")));
    users.event(DAY0 + 60 * MINUTE + 1, by("a", "3", page("/3", "")));
    let sessions = user(&counted(FACTS, &[&users]), "a").sessions;
    let spans: Vec<_> = sessions.iter().map(|s| (s.start - DAY0, s.last - DAY0, s.pages)).collect();
    assert_eq!(spans, [(0, 30 * MINUTE, 2), (60 * MINUTE + 1, 60 * MINUTE + 1, 1)]);
    assert_eq!((sessions[0].landing.as_str(), sessions[0].referrer.as_str()), ("/1", "ads"));
}

#[test]
fn a_late_event_joins_two_sessions_and_one_start_is_taken_back() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", page("/1", "")));
    users.event(DAY0 + 50 * MINUTE, by("a", "2", page("/2", "")));
    let apart = counted(FACTS, &[&users]);
    assert_eq!((fact(&apart, "started"), fact(&apart, "ended")), (2, 1));
    users.late(DAY0 + 51 * MINUTE, DAY0 + 25 * MINUTE, by("a", "3", page("/3", "")));
    let joined = counted(FACTS, &[&users]);
    assert_eq!((fact(&joined, "started"), fact(&joined, "ended")), (1, 0));
    assert_eq!(user(&joined, "a").sessions.len(), 1);
    users.tick(DAY0 + 80 * MINUTE + 5 * SECOND);
    let over = counted(FACTS, &[&users]);
    assert_eq!((fact(&over, "ended"), fact(&over, "pages")), (1, 3));
}

#[test]
fn a_session_ends_when_the_watermark_reaches_its_deadline() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", page("/1", "")));
    users.tick(DAY0 + 30 * MINUTE + 5 * SECOND - 1);
    assert_eq!(fact(&counted(FACTS, &[&users]), "ended"), 0);
    users.tick(DAY0 + 30 * MINUTE + 5 * SECOND);
    assert_eq!(fact(&counted(FACTS, &[&users]), "ended"), 1);
}

#[test]
fn an_earlier_page_view_gives_the_session_another_start_and_referrer() {
    let mut users = Shard::users();
    let settings = r#"
        defaults = { windows = ["total"] }
        [metric.visits]
        keys = [["referrer"]]
        measures = { sessions = { count = true, from = "session_started" } }
    "#;
    users.event(DAY0 + HOUR, by("a", "2", page("/2", "email")));
    users.late(DAY0 + HOUR, DAY0 + 50 * MINUTE, by("a", "1", page("/1", "ads")));
    let result = counted(settings, &[&users]);
    let started = |referrer| {
        let total = souk_sim::recount::Span { start: i64::MIN, end: i64::MAX };
        super::journal::number(&result, "visits", &[("referrer", referrer)], "total", total, "sessions")
    };
    assert_eq!((started("email"), started("ads")), (0, 1));
    let ledger = result.ledgers.values().next().unwrap();
    assert_eq!((ledger.facts, ledger.counted, ledger.late), (3, 3, 0));
}
