//! Sessions and journeys: what joins what, and which facts say so.

use super::*;

#[test]
fn a_session_starts_restates_ends_and_lives_again() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.counted(100, search()),
        [
            "+100 session_started",
            "+100 event search",
            "+100 search Search { query: \"\" }",
            "+100 journey_step start>search"
        ]
    );
    assert_eq!(
        bench.counted(110, view("/mugs", "ads")),
        [
            "-100 session_started",
            "+100 session_started <ads",
            "+110 event page_view <ads",
            "+110 page_view /mugs <ads",
            "+110 journey_step search>/mugs <ads"
        ]
    );
    bench.tick(141);
    assert_eq!(bench.facts(), ["+140 session_ended 1 10 <ads"]);
    // An event inside that changes none of its fields leaves the end standing; a page view does not.
    assert_eq!(bench.late(141, 105, search()), Verdict::Counted);
    assert!(bench.facts_of(&["session_started", "session_ended"]).is_empty());
    assert_eq!(bench.late(141, 109, view("/pots", "mail")), Verdict::Counted);
    assert_eq!(
        bench.facts_of(&["session_started", "session_ended"]),
        ["-140 session_ended 1 10 <ads", "-100 session_started <ads", "+100 session_started <mail"]
    );
    bench.tick(141);
    assert_eq!(bench.facts(), ["+140 session_ended 2 10 <mail"]);
}

#[test]
fn a_late_event_makes_two_sessions_one() {
    let mut bench = Bench::new();
    bench.counted(100, view("/a", "ads"));
    bench.counted(150, view("/b", "mail"));
    bench.tick(181);
    assert_eq!(bench.facts(), ["+180 session_ended 1 0 <mail"]);
    assert_eq!(bench.late(181, 125, search()), Verdict::Counted);
    assert_eq!(
        bench.facts_of(&["session_started", "session_ended", "event"]),
        [
            "-180 session_ended 1 0 <mail",
            "-150 session_started <mail",
            "-130 session_ended 1 0 <ads",
            "+125 event search <ads"
        ]
    );
    bench.tick(181);
    assert_eq!(bench.facts(), ["+180 session_ended 2 50 <ads"]);
    assert_eq!(bench.user.sessions().count(), 1);
}

#[test]
fn the_gap_itself_still_joins() {
    for (minute, sessions) in [(130, 1), (131, 2), (70, 1), (69, 2)] {
        let mut bench = Bench::new();
        bench.counted(100, search());
        bench.late(131, minute, search());
        assert_eq!(bench.user.sessions().count(), sessions, "{minute}");
    }
}

#[test]
fn a_journey_starts_anew_after_the_gap_and_keeps_64_steps() {
    let mut bench = Bench::new();
    for minute in 0..70 {
        bench.counted(minute, view(&format!("/{minute}"), ""));
    }
    assert_eq!(bench.user.journey().count(), 64);
    assert_eq!(
        bench.user.journey().next().map(|step| (step.time, step.target.to_owned())),
        Some((ZERO + 6 * MINUTE, "/6".into()))
    );
    assert_eq!(bench.counted(99, search()).last().map(String::as_str), Some("+99 journey_step /69>search"));
    assert_eq!(
        bench.counted(130, search()).last().map(String::as_str),
        Some("+130 journey_step start>search")
    );
}

#[test]
fn what_no_event_can_reach_is_forgotten_and_nothing_is_left() {
    let mut bench = Bench::new();
    bench.counted(0, view("/", "ads"));
    bench.tick(24 * 60 + 30);
    assert_eq!(bench.user.sessions().count(), 1);
    bench.tick(24 * 60 + 31);
    assert!(bench.user.is_empty());
}

#[test]
fn of_too_many_sessions_the_oldest_gives_way() {
    let mut bench = Bench::new();
    bench.settings.horizon = 7 * 24 * HOUR;
    for visit in 0..65 {
        bench.counted(visit * 60, search());
    }
    assert_eq!(bench.user.sessions().count(), 64);
    assert_eq!(bench.user.sessions().next().map(|session| session.start), Some(ZERO + HOUR));
    // Older than all 64: it is counted, and gone at once.
    assert_eq!(bench.late(64 * 60, 0, view("/", "ads")), Verdict::Counted);
    assert!(bench.facts().contains(&"+0 page_view /".to_owned()));
    assert_eq!(bench.user.sessions().next().map(|session| session.start), Some(ZERO + HOUR));
}

#[test]
fn an_id_is_known_for_sixty_whole_minutes() {
    for (again, verdict) in [(100, Verdict::Duplicate), (160, Verdict::Duplicate), (161, Verdict::Counted)] {
        let mut bench = Bench::new();
        assert_eq!(bench.named("x", 100, 100, search()), Verdict::Counted);
        assert_eq!(bench.named("x", again, 100, search()), verdict, "{again}");
    }
}

#[test]
fn the_4097th_id_makes_the_first_new_again() {
    let mut bench = Bench::new();
    for event in 0..4_096 {
        assert_eq!(bench.named(&format!("x{event}"), 0, 0, Kind::Logout(v1::Logout {})), Verdict::Counted);
    }
    assert_eq!(bench.named("x0", 0, 0, search()), Verdict::Duplicate);
    assert_eq!(bench.named("new", 0, 0, search()), Verdict::Counted);
    assert_eq!(bench.named("x1", 0, 0, search()), Verdict::Duplicate);
    assert_eq!(bench.named("x0", 0, 0, search()), Verdict::Counted);
    assert_eq!(bench.named("x1", 0, 0, search()), Verdict::Counted);
}

#[test]
fn an_event_behind_the_horizon_is_late_and_leaves_no_trace() {
    let mut bench = Bench::new();
    bench.tick(24 * 60 + 1);
    assert_eq!(bench.late(24 * 60 + 1, 0, search()), Verdict::Late);
    assert_eq!(bench.late(24 * 60 + 1, 1, search()), Verdict::Counted);
}

#[test]
fn an_event_that_is_nobodys_is_counted_once_and_nothing_else() {
    let mut bench = Bench::of("t-1");
    let trip = v1::Trip { trip_id: "t-1".into(), fare: Some(euro(5)), ..Default::default() };
    let event = record::Event { keyless: true, ..event(&bench.key, "e", ZERO, Kind::Trip(trip)) };
    let verdicts = [(); 2].map(|()| bench.both(|user, ctx, _| user.keyless_event(ctx, &event)));
    assert_eq!(verdicts, [Verdict::Counted, Verdict::Duplicate]);
    let facts = bench.facts();
    assert_eq!((facts.len(), &*facts[0]), (2, "+0 event trip"));
    assert!(facts[1].starts_with("+0 trip"));
    assert_eq!(bench.user.sessions().count(), 0);
}
