//! Random lives of a user against the plainest reading of SEMANTICS.md: all that ever happened, looked at as a whole.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One thing that happens: minutes of log time since the last, and how long ago it was.
#[derive(Debug, Clone)]
struct Happening {
    after: i64,
    ago: i64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    View(u8),
    Search,
    Add,
    Clear,
    Placed,
    Command,
    Tick,
}

fn happening(most_ago: i64) -> impl Strategy<Value = Happening> {
    let what = prop_oneof![
        3 => (0u8..3).prop_map(What::View),
        2 => Just(What::Search),
        3 => Just(What::Add),
        1 => Just(What::Clear),
        1 => Just(What::Placed),
        1 => Just(What::Command),
        2 => Just(What::Tick),
    ];
    (0i64..40, 0..=most_ago, what).prop_map(|(after, ago, what)| Happening { after, ago, what })
}

fn kind_of(what: &What, place: usize) -> Option<Kind> {
    Some(match what {
        What::View(referrer) => view("/", &format!("r{referrer}")),
        What::Search => search(),
        What::Add => add("mug", 1, 10),
        What::Clear => clear(),
        What::Placed => placed(&format!("o{place}"), 5),
        What::Command | What::Tick => return None,
    })
}

/// A session as its facts have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plain {
    start: i64,
    last: i64,
    pages: i64,
    referrer: Option<u8>,
}

/// Sessions by sorting every event there was.
fn cluster(mut events: Vec<(i64, usize, Option<u8>)>) -> Vec<Plain> {
    events.sort_by_key(|(time, place, _)| (*time, *place));
    let mut sessions: Vec<Plain> = Vec::new();
    for (time, _, referrer) in events {
        match sessions.last_mut() {
            Some(session) if time - session.last <= 30 => {
                session.last = time;
                session.pages += i64::from(referrer.is_some());
                session.referrer = session.referrer.or(referrer);
            }
            _ => sessions.push(Plain { start: time, last: time, pages: referrer.is_some().into(), referrer }),
        }
    }
    sessions
}

/// What facts come to, once what was taken back is taken off.
fn net(facts: &[String], kind: &str) -> Vec<String> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.split(' ').nth(1) == Some(kind)) {
        let sign = if fact.starts_with('+') { 1 } else { -1 };
        *sums.entry(fact[1..].to_owned()).or_default() += sign;
    }
    sums.retain(|_, sum| *sum != 0);
    assert!(sums.values().all(|sum| *sum == 1), "{sums:?}");
    sums.into_keys().collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sessions_and_abandonments_net_out(life in prop::collection::vec(happening(180), 1..60)) {
        let mut bench = Bench::new();
        bench.settings.horizon = 7 * 24 * HOUR;
        let (mut minute, mut events) = (600, Vec::new());
        for (place, Happening { after, ago, what }) in life.iter().enumerate() {
            minute += after;
            match kind_of(what, place) {
                Some(kind) => {
                    prop_assert_eq!(bench.late(minute, minute - ago, kind), Verdict::Counted);
                    let page = if let What::View(referrer) = what { Some(*referrer) } else { None };
                    events.push((minute - ago, place, page));
                }
                None if matches!(what, What::Command) => {
                    bench.command(minute, Action::ClearCart(journal::ClearCart {}));
                }
                None => bench.tick(minute),
            }
        }
        bench.tick(minute + 61);

        let wanted = cluster(events);
        let found: Vec<Plain> = bench.user.sessions().map(|session| Plain {
            start: (session.start - ZERO) / MINUTE,
            last: (session.last - ZERO) / MINUTE,
            pages: session.page_views.into(),
            referrer: session.landing.as_ref().map(|landing| landing.referrer.as_bytes()[1] - b'0'),
        }).collect();
        prop_assert_eq!(&found, &wanted);

        let by = |session: &Plain| session.referrer.map_or(String::new(), |referrer| format!(" <r{referrer}"));
        let facts = bench.facts();
        let started = wanted.iter().map(|session| format!("{} session_started{}", session.start, by(session))).collect();
        prop_assert_eq!(net(&facts, "session_started"), sorted(started));
        let ended = wanted.iter().map(|session| {
            format!("{} session_ended {} {}{}", session.last + 30, session.pages, session.last - session.start, by(session))
        });
        prop_assert_eq!(net(&facts, "session_ended"), sorted(ended.collect()));

        // Every abandonment that stands is one the user remembers. The same token twice is one cart emptied and filled at once.
        let carts = bench.user.cart().map_or(&[][..], |cart| &cart.abandoned);
        let standing: i64 = facts.iter().map(|fact| match fact.split(' ').nth(1) {
            Some("cart_abandoned") if fact.starts_with('+') => 1,
            Some("cart_abandoned") => -1,
            _ => 0,
        }).sum();
        prop_assert_eq!(standing.min(16), carts.len() as i64);
    }

    /// When everything arrives as it happens, the rule is a walk along time.
    #[test]
    fn abandonments_in_order_are_the_plain_rule(life in prop::collection::vec(happening(0), 1..60)) {
        let mut bench = Bench::new();
        let (mut minute, mut wanted) = (0, Vec::new());
        // Pieces, deadline, and the open abandonment's worth.
        let (mut pieces, mut deadline, mut open): (i64, Option<i64>, Option<i64>) = (0, None, None);
        for (place, Happening { after, what, .. }) in life.iter().enumerate() {
            minute += after;
            if let Some(at) = deadline.filter(|at| minute > *at) {
                deadline = None;
                if open.is_none() {
                    wanted.push(format!("+{at} cart_abandoned cart {}", pieces * 10));
                    open = Some(pieces * 10);
                }
            }
            let Some(kind) = kind_of(what, place) else { bench.tick(minute); continue };
            prop_assert_eq!(bench.event(minute, kind), Verdict::Counted);
            match what {
                What::Add => { pieces += 1; deadline = Some(minute + 30); }
                What::Placed => {
                    wanted.extend(open.map(|worth| format!("+{minute} cart_recovered cart {worth}")));
                    (pieces, deadline, open) = (0, None, None);
                }
                What::Clear => (pieces, deadline, open) = (0, None, None),
                _ => {}
            }
        }
        let told = bench.facts_of(&["cart_abandoned", "cart_recovered"]);
        let told: Vec<&str> = told.iter().map(|fact| fact.split(" <").next().unwrap_or_default()).collect();
        prop_assert_eq!(told, wanted); // whichever visit it was
    }
}
