mod gather;
mod published;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::actor::Actor;
use crate::cut::segment::{Segment, SegmentId};
use crate::fact::{Detail, Fact, Sign, Who};
use crate::key::{BUCKETS, BucketId};
use crate::metric::aggregate::part::Total;
use crate::metric::{Metric, TimeRange};
use crate::money::{Currency, Money};
use crate::owner::effect::PeerMessage;
use crate::planted::Planted;
use crate::settings::Settings;
use crate::tally::{Presence, SeriesKey, TallyBatch, TallyBook};
use crate::time::{MINUTE, Millis, Now, SECOND};

const SETTINGS: &str = r#"
format   = 1
defaults = { currency = "EUR", time_zone = "Europe/Berlin", lateness = "5s", correct_for = "10m", keep = "30d", max_keys = 1000, windows = ["1m"] }
[metric.t_views]
from     = "page_view"
keys     = [[], ["page"]]
windows  = ["1m", "30s/10s", "50s/10s", "day", "total"]
measures = { users = { distinct = "user" }, views = { count = true } }
rank     = ["views", "users"]
[metric.t_money]
from     = "transaction"
keys     = [["category"]]
windows  = ["1m", "5m", "total"]
[metric.t_money.measures]
least = { min = "amount" }
mean  = { mean = "amount" }
most  = { max = "amount" }
net   = { sum = "amount" }
p50   = { quantile = "amount", q = 0.5, exact_to = 1000 }
shops = { distinct = "merchant", exact_to = 1000 }
units = { sum = "minor_units_unsigned" }
[metric.t_visits]
from     = "session_started"
windows  = ["1m"]
measures = { visits = { count = true } }
"#;

/// Late on a Berlin evening, so that days change under the test.
const BASE: Millis = 1_760_000_000_000 + 6 * 3_600_000;
const PAGES: [&str; 3] = ["/", "/cart", "/p"];
const PRODUCTS: u16 = 2;

fn values_of(row: &AnswerRow) -> Vec<String> {
    SeriesKey::parse(&row.key).unwrap().values
}

#[derive(Debug, Clone)]
struct Step {
    at: Millis,
    user: usize,
    page: usize,
    what: u8,
    amount: i64,
}

impl Step {
    fn fact<'a>(&self, user: &'a str) -> Fact<'a> {
        let page = PAGES[self.page];
        let currency = Currency::parse(if self.page == 2 { "USD" } else { "EUR" }).unwrap();
        let amount = Money { currency, minor: self.amount };
        let (sign, detail) = match self.what {
            0..=4 => (Sign::Counted, Detail::PageView { page, referrer: "", campaign: "" }),
            5 | 6 => {
                let detail = Detail::Transaction {
                    kind: "purchase",
                    category: page,
                    merchant: PAGES[self.user % 3],
                    location: "",
                    amount,
                };
                (Sign::Counted, detail)
            }
            7 => (Sign::Counted, Detail::SessionStarted),
            _ => (Sign::TakenBack, Detail::SessionStarted),
        };
        let who = Who {
            shop: "main",
            user,
            session: "",
            device: "",
            source: "",
            session_referrer: "",
            session_campaign: "",
            labels: None,
        };
        Fact { time: self.at, sign, who, detail }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Time moves on by up to a minute per step; a step lies up to twenty minutes behind it.
    let back = prop_oneof![4 => 0..10 * SECOND, 2 => 0..3 * MINUTE, 1 => 0..20 * MINUTE];
    let step = (0..40 * SECOND, back, 0_usize..6, 0_usize..3, 0_u8..9, 0_i64..5_000);
    prop::collection::vec(step, 1..120).prop_map(|steps| {
        let mut clock = BASE;
        let each = steps.into_iter().map(|(on, back, user, page, what, amount)| {
            clock += on;
            Step { at: clock - back, user, page, what, amount }
        });
        each.collect()
    })
}

/// A users shard as its owner drives it.
struct Shard {
    book: TallyBook,
    now: Now,
    people: BTreeMap<usize, Presence>,
    epoch: u64,
    store: Vec<Segment>,
}

fn products(settings: &Settings, sources: u16) -> Vec<SeriesBook> {
    let series = || {
        let mut series = SeriesBook::new(settings, sources, Planted::default());
        series.rows_mut().set_empty_store();
        series
    };
    (0..PRODUCTS).map(|_| series()).collect()
}

impl Shard {
    fn new(settings: &Settings) -> Self {
        let mut book = TallyBook::new(settings, PRODUCTS);
        book.rows_mut().set_empty_store();
        Self {
            book,
            now: Now { high_water: Millis::MIN / 2, ..Now::default() },
            people: BTreeMap::new(),
            epoch: 1,
            store: Vec::new(),
        }
    }

    /// Counts a step; whether it was not late for these metrics.
    fn count(&mut self, settings: &Settings, step: &Step) -> bool {
        self.now.offset += 1;
        self.now.high_water = self.now.high_water.max(step.at);
        let user = format!("u-{}", step.user);
        let presence = self.people.entry(step.user).or_default();
        self.book.count(settings, &self.now, &step.fact(&user), Some(presence));
        self.book.settle(settings, &self.now);
        step.at >= self.now.high_water - 5 * SECOND - 10 * MINUTE
    }

    fn outgoing(&mut self, settings: &Settings) -> Vec<(u16, TallyBatch)> {
        self.book.outgoing(
            self.epoch,
            self.now.offset,
            self.now.high_water,
            settings.hash,
            usize::from(PRODUCTS),
        )
    }

    /// A new owner takes over from a cut of now.
    fn take_over(&mut self, settings: &Settings) {
        let digest = self.book.digest(settings, &self.now).unwrap();
        let header = self.book.encode_header();
        cut(self.book.rows_mut(), &mut self.store);
        let mut book = TallyBook::new(settings, PRODUCTS);
        book.decode_header(settings, &header).unwrap();
        load(book.rows_mut(), &self.store);
        assert_eq!(book.digest(settings, &self.now).unwrap(), digest);
        self.book = book;
        self.epoch += 1;
    }
}

/// Writes a cut to `store`: a base supersedes what its section held.
fn cut<A: Actor + Clone>(rows: &mut crate::bucket::Actors<A>, store: &mut Vec<Segment>) {
    rows.freeze();
    while !rows.cut_slice(1_000).unwrap() {}
    for draft in rows.take_drafts() {
        store.retain(|held| !draft.base || held.id.section != draft.section);
        let id = SegmentId { section: draft.section, cut: store.len() as u64, epoch: 1 };
        store.push(Segment { id, base: draft.base, blob: draft.blob.into() });
    }
    rows.committed();
}

fn load<A: Actor + Clone>(rows: &mut crate::bucket::Actors<A>, segments: &[Segment]) {
    for bucket in 0..BUCKETS {
        let section = rows.section(BucketId(bucket));
        let own: Vec<Segment> =
            segments.iter().filter(|segment| segment.id.section == section).cloned().collect();
        rows.load(section, &own).unwrap();
    }
}

/// What a measure should be, from the facts of one window and key alone.
fn recount(metric: &Metric, facts: &[&Step]) -> Vec<Figure> {
    let by_currency = || {
        let mut by: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for fact in facts {
            by.entry(if fact.page == 2 { "USD" } else { "EUR" }).or_default().push(fact.amount);
        }
        by.values_mut().for_each(|amounts| amounts.sort_unstable());
        by
    };
    let amounts = |of: fn(&[i64]) -> i64| {
        Figure::Amounts(
            by_currency().into_iter().map(|(code, list)| (Currency::parse(code), of(&list))).collect(),
        )
    };
    let measure = |name: &str| match name {
        "users" => Figure::Integer(facts.iter().map(|fact| fact.user).collect::<BTreeSet<_>>().len() as i64),
        "views" => Figure::Integer(facts.len() as i64),
        "visits" => Figure::Integer(facts.iter().map(|fact| if fact.what == 7 { 1 } else { -1 }).sum()),
        "units" => Figure::Integer(facts.iter().map(|fact| fact.amount).sum()),
        "shops" => {
            Figure::Integer(facts.iter().map(|fact| fact.user % 3).collect::<BTreeSet<_>>().len() as i64)
        }
        "net" => amounts(|list| list.iter().sum()),
        "least" => amounts(|list| list[0]),
        "most" => amounts(|list| list[list.len() - 1]),
        "p50" => amounts(|list| list[list.len().div_ceil(2) - 1]),
        _ => {
            let total = |list: &Vec<i64>| Total { sum: list.iter().sum(), count: list.len() as i64 };
            Figure::Means(
                by_currency().iter().map(|(code, list)| (Currency::parse(code), total(list))).collect(),
            )
        }
    };
    metric.measures.iter().map(|m| measure(&m.name)).collect()
}

type Windows = BTreeMap<(Vec<String>, TimeRange), Vec<Figure>>;

fn expected(metric: &Metric, key_set: usize, window: crate::metric::Window, counted: &[Step]) -> Windows {
    let mut facts: BTreeMap<(Vec<String>, TimeRange), Vec<&Step>> = BTreeMap::new();
    for step in counted {
        let fact = step.fact("");
        if metric.measures[0].from.contains(&fact.detail.kind()) {
            let key: Vec<String> = metric.key_sets[key_set].iter().map(|d| fact.text(d).to_owned()).collect();
            for range in window.instances_of(&metric.time_zone, step.at) {
                facts.entry((key.clone(), range)).or_default().push(step);
            }
        }
    }
    facts.into_iter().map(|(at, facts)| (at, recount(metric, &facts))).collect()
}

fn query(metric: &Metric, key_set: usize, window: crate::metric::Window, span: Span) -> Query {
    let (shop, metric, key_set) = ("main".to_owned(), metric.name.clone(), key_set as u16);
    Query {
        shop,
        metric,
        key_set,
        window: Some(window),
        key: None,
        given: Vec::new(),
        span,
        closed_only: false,
        top: None,
    }
}

fn check(settings: &Settings, series: &[SeriesBook], counted: &[Step]) -> Result<(), TestCaseError> {
    for metric in settings.metrics.iter().filter(|metric| metric.name.starts_with("t_")) {
        for key_set in 0..metric.key_sets.len() {
            for window in &metric.windows {
                let mut answered = Windows::new();
                for series in series {
                    let answer = series
                        .query(&query(metric, key_set, *window, Span::Starting(TimeRange::ALL)))
                        .unwrap();
                    prop_assert!(answer.info.is_complete() && !answer.info.truncated);
                    for row in answer.rows {
                        let name = (values_of(&row), row.range);
                        answered.insert(name, row.values.into_iter().map(|value| value.figure).collect());
                    }
                }
                prop_assert_eq!(
                    answered,
                    expected(metric, key_set, *window, counted),
                    "{} {}",
                    metric.name,
                    window
                );
            }
        }
    }
    Ok(())
}

/// Moves messages between the shards; `fate` says what becomes of each: delivered, lost, repeated, or kept to be delivered later.
struct Net<F: FnMut() -> u8> {
    fate: F,
    late: Vec<(u16, u16, TallyBatch)>,
}

impl<F: FnMut() -> u8> Net<F> {
    fn round(&mut self, settings: &Settings, shards: &mut [Shard], series: &mut [SeriesBook]) {
        for (source, shard) in (0_u16..).zip(&mut *shards) {
            for (target, batch) in shard.outgoing(settings) {
                match (self.fate)() % 8 {
                    0 | 1 => {}
                    2 => self.late.push((source, target, batch)),
                    3 => {
                        self.late.push((source, target, batch.clone()));
                        series[usize::from(target)].receive(source, batch);
                    }
                    _ => series[usize::from(target)].receive(source, batch),
                }
            }
        }
        if (self.fate)().is_multiple_of(4) {
            for (source, target, batch) in self.late.drain(..).rev() {
                series[usize::from(target)].receive(source, batch);
            }
        }
        for (target, series) in (0_u16..).zip(series) {
            for (source, message) in series.outgoing() {
                match message {
                    _ if (self.fate)() % 8 < 2 => {}
                    PeerMessage::TallySince(request) => {
                        let shard = &mut shards[usize::from(source)];
                        shard.book.asked(target, request, shard.now.offset);
                    }
                    PeerMessage::TallyAck(ack) => shards[usize::from(source)].book.acked(target, ack),
                    PeerMessage::Tally(_) => unreachable!("series send no tallies"),
                }
            }
        }
    }
}

fn series_take_over(settings: &Settings, series: &mut SeriesBook, store: &mut Vec<Segment>, sources: u16) {
    let header = series.encode_header();
    series.frozen();
    cut(series.rows_mut(), store);
    series.durable();
    let mut next = SeriesBook::new(settings, sources, Planted::default());
    next.decode_header(settings, &header).unwrap();
    load(next.rows_mut(), store);
    assert_eq!(next.encode_header(), header);
    *series = next;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order of facts, lateness, taking back, loss, repeats, reordering, takeovers on both sides and zombies:
    /// every window of every key equals a recount of the facts that counted.
    #[test]
    fn every_window_equals_a_recount(steps in steps(), sources in 1_u16..4, fates in prop::collection::vec(any::<u8>(), 64)) {
        let settings = Settings::layered(SETTINGS).unwrap();
        let mut shards: Vec<Shard> = (0..sources).map(|_| Shard::new(&settings)).collect();
        let mut series = products(&settings, sources);
        let mut stores = [Vec::new(), Vec::new()];
        let mut at = 0;
        let fate = || { at += 1; fates[at % fates.len()].wrapping_add((at / fates.len()) as u8) };
        let mut net = Net { fate, late: Vec::new() };
        let mut counted = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            let shard = &mut shards[step.user % usize::from(sources)];
            if shard.count(&settings, &step) {
                counted.push(step);
            }
            match (net.fate)() {
                0..=9 => shard.take_over(&settings),
                10..=14 => series_take_over(&settings, &mut series[n % 2], &mut stores[n % 2], sources),
                15..=90 => net.round(&settings, &mut shards, &mut series),
                _ => {}
            }
        }
        let late = std::mem::take(&mut net.late);
        let mut quiet = Net { fate: || 7, late: Vec::new() };
        // A source nothing was counted in has no position: give each one record more.
        for shard in &mut shards {
            shard.now.offset += 1;
            shard.now.high_water = shard.now.high_water.max(BASE);
        }
        for _ in 0..8 {
            quiet.round(&settings, &mut shards, &mut series);
        }
        check(&settings, &series, &counted)?;
        // Zombies: what was sent long ago, by owners long gone.
        for (source, target, mut batch) in late {
            batch.epoch = 0;
            series[usize::from(target)].receive(source, batch);
        }
        quiet.round(&settings, &mut shards, &mut series);
        quiet.round(&settings, &mut shards, &mut series);
        check(&settings, &series, &counted)?;
    }
}

fn view(at: Millis, user: usize, page: usize) -> Step {
    Step { at: BASE + at, user, page, what: 0, amount: 0 }
}

/// One users shard, everything delivered.
fn delivered(settings: &Settings, steps: &[Step]) -> (Vec<Shard>, Vec<SeriesBook>) {
    let mut shards = vec![Shard::new(settings)];
    let mut series = products(settings, 1);
    let mut net = Net { fate: || 7, late: Vec::new() };
    for step in steps {
        shards[0].count(settings, step);
        net.round(settings, &mut shards, &mut series);
    }
    (shards, series)
}

#[test]
fn top_rows_are_in_order_and_the_newest_window_is_the_default() {
    let settings = Settings::layered(SETTINGS).unwrap();
    let old = (0..5).map(|user| view(0, user, 2));
    let new = [
        view(2 * MINUTE, 0, 0),
        view(2 * MINUTE, 1, 1),
        view(2 * MINUTE + 1, 2, 1),
        view(2 * MINUTE + 2, 2, 1),
    ];
    let steps: Vec<Step> = old.chain(new).collect();
    let (_, series) = delivered(&settings, &steps);
    let metric = settings.metric("t_views").unwrap();
    let measure = metric.measures.iter().position(|measure| measure.name == "users").unwrap();
    let top = Top { measure, n: 10, ascending: false, currency: Currency::parse("EUR").unwrap() };
    let mut query = Query { top: Some(top), ..query(metric, 1, metric.windows[0], Span::Last(1)) };
    let answer = |query: &Query| {
        let rows = series.iter().flat_map(|series| series.query(query).unwrap().rows);
        let newest = rows.clone().map(|row| row.range).max().unwrap();
        let rows = rows.filter(|row| row.range == newest);
        rows.map(|row| (values_of(&row)[0].clone(), row.values[measure].figure.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let (home, cart, product) = ("/".to_owned(), "/cart".to_owned(), "/p".to_owned());
    assert_eq!(answer(&query), BTreeMap::from([(home, Figure::Integer(1)), (cart, Figure::Integer(2))]));
    query.closed_only = true;
    query.span = Span::Newest;
    assert_eq!(answer(&query), BTreeMap::from([(product, Figure::Integer(5))]));
}

#[test]
fn windows_nothing_was_counted_in_take_no_room_in_an_answer() {
    let settings = Settings::layered(SETTINGS).unwrap();
    let long = 10 * SECOND * crate::limits::ANSWER_WINDOWS as i64;
    let (_, series) = delivered(&settings, &[view(0, 0, 0), view(2 * long, 1, 0)]);
    let metric = settings.metric("t_views").unwrap();
    let sliding = metric.windows.iter().find(|window| window.to_string() == "30s/10s").unwrap();
    let asked =
        query(metric, 0, *sliding, Span::Starting(TimeRange { start: BASE - long, end: Millis::MAX }));
    let answers = series.iter().map(|series| series.query(&asked).unwrap());
    let starts = |answer: Answer| answer.rows.into_iter().map(|row| row.range.start).collect::<Vec<_>>();
    let found: Vec<Millis> = answers.filter(|answer| !answer.info.truncated).flat_map(starts).collect();
    let first = BASE - BASE.rem_euclid(10 * SECOND) - 20 * SECOND;
    let three = |start| [start, start + 10 * SECOND, start + 20 * SECOND];
    assert_eq!(found, [three(first), three(first + 2 * long)].concat());
}

#[test]
fn a_late_fact_corrects_windows_that_had_closed() {
    let settings = Settings::layered(SETTINGS).unwrap();
    let (mut shards, series) =
        delivered(&settings, &[view(0, 0, 0), view(5 * MINUTE, 0, 0), view(SECOND, 1, 0)]);
    let metric = settings.metric("t_views").unwrap();
    let minute = metric.windows.iter().position(|window| window.fixed_size() == Some(MINUTE)).unwrap();
    let corrections =
        series.iter().flat_map(|series| series.corrections().after(None).map(|(_, c)| c.clone()));
    let minutes: Vec<Correction> =
        corrections.filter(|c| c.window == minute && c.key.starts_with("main/t_views/")).collect();
    assert_eq!(minutes.len(), 2, "one per key set");
    for correction in minutes {
        assert_eq!((correction.source, correction.offset), (0, 3));
        assert!(correction.before.iter().all(|value| value.figure == Figure::Integer(1)));
        assert!(correction.after.iter().all(|value| value.figure == Figure::Integer(2)));
    }
    shards[0].count(&settings, &view(-20 * MINUTE, 1, 0));
    let ledger = shards[0].book.ledger("t_views");
    assert_eq!((ledger.facts(), ledger.late, ledger.corrections), (4, 1, 1));
}

#[test]
fn keys_past_the_limit_count_under_other_until_one_dies() {
    let settings = SETTINGS.replace("max_keys = 1000", "max_keys = 2").replace(r#", "day", "total""#, "");
    let settings = Settings::layered(&settings).unwrap();
    let steps = [view(0, 0, 0), view(0, 0, 1), view(1, 0, 2), view(2, 1, 2), view(30 * MINUTE, 0, 2)];
    let (_, series) = delivered(&settings, &steps);
    let metric = settings.metric("t_views").unwrap();
    let mut rows = BTreeMap::new();
    for series in &series {
        for row in
            series.query(&query(metric, 1, metric.windows[0], Span::Starting(TimeRange::ALL))).unwrap().rows
        {
            rows.insert((row.range.start - BASE, values_of(&row)[0].clone()), row.values[1].figure.clone());
        }
    }
    let start = -BASE.rem_euclid(MINUTE);
    let row = |minute: i64, key: &str, views: i64| {
        ((start + minute * MINUTE, key.to_owned()), Figure::Integer(views))
    };
    let expected = [row(0, "/", 1), row(0, "/cart", 1), row(0, "other", 2), row(30, "/p", 1)];
    assert_eq!(rows, BTreeMap::from(expected));
}

/// Asked once more while its answer is on its way, a source goes on with it: an answer begun anew with every request would never end.
#[test]
fn an_answer_on_its_way_is_not_begun_anew() {
    let settings = Settings::layered(SETTINGS).unwrap();
    let mut shard = Shard::new(&settings);
    for minute in 0..3_000 {
        shard.count(&settings, &view(minute * MINUTE, 0, 0));
    }
    let ask = |shard: &mut Shard| {
        (0..PRODUCTS).for_each(|target| {
            shard.book.asked(target, crate::tally::TallyRequest { since: 0 }, shard.now.offset)
        });
    };
    ask(&mut shard);
    let begun = shard.outgoing(&settings);
    ask(&mut shard);
    let mut went_on = 0;
    for (target, next) in shard.outgoing(&settings) {
        let first = begun.iter().find(|(of, _)| *of == target).map(|(_, batch)| batch).unwrap();
        if first.answer.is_some_and(|answer| !answer.last) {
            assert_eq!(next.from, first.to);
            went_on += 1;
        }
    }
    assert!(went_on > 0, "an answer of many parts");
}

/// An entry of a replay holds what changed in its row over the whole replay: what lies between the ends of its batch is not all that is lost with it.
#[test]
fn what_a_new_owner_says_first_is_missed_when_it_is_lost() {
    let settings = Settings::layered(&SETTINGS.replace("max_keys = 1000", "max_keys = 5000")).unwrap();
    // Rows of later pages are in later batches than what changed from the first step on.
    let page = |minute| usize::from(minute >= 1_200) + usize::from(minute >= 1_350);
    let mut steps: Vec<Step> = (0..1_500).map(|minute| view(minute * MINUTE, 0, page(minute))).collect();
    let (_, mut series) = delivered(&settings, &steps);
    // Late, and in a pane of its own: nothing brings it again.
    steps.push(view(1_499 * MINUTE - 90 * SECOND, 0, 0));
    let mut next = Shard { epoch: 2, ..Shard::new(&settings) };
    steps.iter().for_each(|step| assert!(next.count(&settings, step)));
    let lost = next.outgoing(&settings);
    assert!(lost.iter().any(|(_, batch)| batch.rows.cells() >= crate::limits::TALLY_BATCH), "one of several");
    let mut shards = [next];
    for _ in 0..20 {
        Net { fate: || 7, late: Vec::new() }.round(&settings, &mut shards, &mut series);
    }
    check(&settings, &series, &steps).unwrap();
}

/// The planted bugs of this part are noticed by the same comparison.
#[cfg(feature = "planted")]
#[test]
fn planted_bugs_are_noticed() {
    use crate::planted::Bug;
    let settings = Settings::layered(SETTINGS).unwrap();
    let lost = [view(0, 0, 0), view(3 * MINUTE, 1, 1)];
    for (bug, noticed) in [(None, false), (Some(Bug::TallyAdded), true), (Some(Bug::TallyGapIgnored), true)] {
        let planted = bug.map_or_else(Planted::default, Planted::with);
        let mut shards = vec![Shard::new(&settings)];
        let mut series: Vec<SeriesBook> =
            (0..PRODUCTS).map(|_| SeriesBook::new(&settings, 1, planted)).collect();
        series.iter_mut().for_each(|series| series.rows_mut().set_empty_store());
        for (n, step) in lost.iter().enumerate() {
            shards[0].count(&settings, step);
            let fate = if n == 0 { 0 } else { 7 };
            Net { fate: || fate, late: Vec::new() }.round(&settings, &mut shards, &mut series);
        }
        for _ in 0..4 {
            Net { fate: || 7, late: Vec::new() }.round(&settings, &mut shards, &mut series);
        }
        // An ack that is behind makes the source send, whole, what is then added once more.
        let again = shards[0].outgoing(&settings);
        shards[0].book.asked(0, crate::tally::TallyRequest { since: 0 }, 2);
        shards[0].book.asked(1, crate::tally::TallyRequest { since: 0 }, 2);
        for (target, batch) in again.into_iter().chain(shards[0].outgoing(&settings)) {
            if bug == Some(Bug::TallyAdded) {
                series[usize::from(target)].receive(0, batch);
            }
        }
        assert_eq!(check(&settings, &series, &lost).is_err(), noticed, "{bug:?}");
    }
}
