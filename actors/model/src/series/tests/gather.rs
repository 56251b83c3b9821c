use super::*;
use crate::limits::ANSWER_ROWS;
use crate::metric::Window;
use crate::series::{Answer, AnswerInfo, AnswerRow, Measured, Moment};
use crate::tally::text_of;
use proptest::prelude::*;

/// A question by places and proportions, whatever the metrics are.
#[derive(Debug, Clone)]
struct Ask {
    metric: usize,
    key_set: usize,
    window: usize,
    key: Option<usize>,
    span: u8,
    from: Millis,
    length: Millis,
    given: Option<usize>,
    closed_only: bool,
    top: Option<(usize, usize, bool)>,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let place = || 0_usize..1_000;
    let spans = (0_u8..6, -70 * MINUTE..90 * MINUTE, 0..60 * MINUTE);
    let top = prop::option::of((place(), 1_usize..4, any::<bool>()));
    let key = || prop::option::weighted(0.2, 0_usize..3);
    let ask = (place(), place(), place(), (key(), key()), spans, any::<bool>(), top);
    let ask =
        ask.prop_map(|(metric, key_set, window, (key, given), (span, from, length), closed_only, top)| Ask {
            metric,
            key_set,
            window,
            key,
            span,
            from,
            length,
            given,
            closed_only,
            top,
        });
    prop::collection::vec(ask, 1..60)
}

impl Ask {
    fn query(&self, settings: &Settings) -> Query {
        let metrics: Vec<&Metric> = settings.metrics.iter().filter(|m| m.name.starts_with("t_")).collect();
        let metric = metrics[self.metric % metrics.len()];
        let key_set = self.key_set % metric.key_sets.len();
        let window = metric.windows[self.window % metric.windows.len()];
        let span = match self.span {
            0 | 1 => Span::Newest,
            2 | 3 => Span::Last(1 + usize::try_from(self.length / (10 * MINUTE)).unwrap()),
            4 => Span::Starting(TimeRange::ALL),
            _ => Span::Starting(TimeRange { start: BASE + self.from, end: BASE + self.from + self.length }),
        };
        let currency = Currency::parse("EUR").unwrap();
        let top = self.top.map(|(measure, n, ascending)| Top {
            measure: measure % metric.measures.len(),
            n,
            ascending,
            currency,
        });
        let of_pages = metric.key_sets[key_set].len() == 1;
        let key = self.key.filter(|_| of_pages).map(|key| vec![PAGES[key].to_owned()]);
        let given = self.given.map(|page| (0, PAGES[page].to_owned())).into_iter().collect();
        Query { key, given, closed_only: self.closed_only, top, ..query(metric, key_set, window, span) }
    }
}

fn book(settings: &Settings, sources: u16) -> SeriesBook {
    let mut book = SeriesBook::new(settings, sources, Planted::default());
    book.rows_mut().set_empty_store();
    book
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Several shards, some of which have not heard that time went on, answer what one book with all keys answers.
    #[test]
    fn shards_together_answer_as_one_book(
        steps in steps(), sources in 1_u16..4, deaf in prop::collection::vec(any::<bool>(), 16), asks in asks()
    ) {
        let settings = Settings::layered(SETTINGS).unwrap();
        let mut shards: Vec<Shard> = (0..sources).map(|_| Shard::new(&settings)).collect();
        let mut parts = products(&settings, sources);
        let mut whole = book(&settings, sources);
        for (n, step) in steps.iter().enumerate() {
            shards[step.user % usize::from(sources)].count(&settings, step);
            for (source, shard) in (0_u16..).zip(&mut shards) {
                if shard.now.offset == 0 {
                    shard.now = Now { offset: 1, high_water: BASE, ..shard.now };
                }
                for (target, batch) in shard.outgoing(&settings) {
                    let shut = batch.rows.is_empty() && deaf[(n + usize::from(target)) % deaf.len()];
                    whole.receive(source, batch.clone());
                    if !shut {
                        parts[usize::from(target)].receive(source, batch);
                    }
                }
            }
        }
        let joined = parts.iter().map(SeriesBook::high_water).min().flatten();
        for query in asks.iter().map(|ask| ask.query(&settings)) {
            let newest = |book: &SeriesBook| book.newest(&query, joined).unwrap();
            let moment = Moment { high_water: joined, newest: parts.iter().map(newest).max().flatten() };
            let answers = parts.iter().map(|part| part.query_at(&query, &moment).unwrap()).collect();
            let gathered = gather(&query, answers);
            prop_assert_eq!(moment.newest, newest(&whole));
            let expected = whole.query_at(&query, &moment).unwrap();
            prop_assert_eq!(&gathered.rows, &expected.rows, "{:?}", query);
            prop_assert_eq!(gathered.info.as_of, joined);
            prop_assert_eq!(gathered.info.truncated, expected.info.truncated);
        }
    }
}

fn row(key: &str, minute: i64, views: i64) -> AnswerRow {
    let start = BASE - BASE.rem_euclid(MINUTE) + minute * MINUTE;
    let measured = |value| Measured { figure: Figure::Integer(value), sketched: false };
    AnswerRow {
        key: text_of("main", "t_views", 1, &[key.to_owned()]),
        window: Window::Tumbling { size: MINUTE },
        range: TimeRange { start, end: start + MINUTE },
        values: vec![measured(1), measured(views)],
        provisional: true,
    }
}

fn answer(rows: Vec<AnswerRow>, positions: &[(u16, u64)], held_by: &[u16]) -> Answer {
    let info = AnswerInfo {
        as_of: Some(BASE),
        held_by: held_by.to_vec(),
        revision: positions.iter().map(|(_, position)| position).sum(),
        positions: positions.to_vec(),
        truncated: rows.len() == ANSWER_ROWS,
        origin: Default::default(),
    };
    Answer { rows, info }
}

fn ask(span: Span, top: Option<usize>) -> Query {
    let settings = Settings::layered(SETTINGS).unwrap();
    let metric = settings.metric("t_views").unwrap();
    let measure = metric.measures.iter().position(|measure| measure.name == "views").unwrap();
    let currency = Currency::parse("EUR").unwrap();
    let top = top.map(|n| Top { measure, n, ascending: false, currency });
    Query { top, ..query(metric, 1, Window::Tumbling { size: MINUTE }, span) }
}

fn keys(answer: &Answer) -> Vec<&str> {
    answer.rows.iter().filter_map(|row| row.key.rsplit('\u{1f}').next()).collect()
}

#[test]
fn a_merged_answer_is_worth_what_the_weakest_shard_knows() {
    let one = answer(vec![row("/b", 1, 9), row("/a", 2, 9)], &[(0, 5), (1, 7)], &[2]);
    let other = answer(vec![row("/a", 1, 1)], &[(0, 6), (1, 4)], &[1]);
    let gathered = gather(&ask(Span::Last(2), None), vec![one, other]);
    assert_eq!(keys(&gathered), ["/a", "/b", "/a"]);
    assert_eq!(gathered.info.positions, [(0, 5), (1, 4)]);
    assert_eq!((gathered.info.revision, gathered.info.held_by), (22, vec![1, 2]));
}

#[test]
fn the_first_rows_of_all_shards_are_ranked_together() {
    let one = answer(vec![row("/c", 0, 5), row("/a", 0, 2), row("/e", 0, 1)], &[], &[]);
    let other = answer(vec![row("/d", 0, 5), row("/b", 0, 3)], &[], &[]);
    assert_eq!(keys(&gather(&ask(Span::Newest, Some(3)), vec![other, one])), ["/c", "/d", "/b"]);
}

#[test]
fn no_shard_answers_nothing() {
    let gathered = gather(&ask(Span::Newest, None), Vec::new());
    assert_eq!((gathered.rows, gathered.info.as_of, gathered.info.revision), (Vec::new(), None, 0));
}

#[test]
fn an_answer_too_long_keeps_the_side_that_was_asked_for() {
    let many = |minute| (0..ANSWER_ROWS - 1).map(|n| row(&format!("/{n:05}"), minute, 1)).collect();
    let both = || vec![answer(many(0), &[], &[]), answer(many(1), &[], &[])];
    let last = gather(&ask(Span::Last(2), None), both());
    assert_eq!((last.rows.len(), last.info.truncated), (ANSWER_ROWS, true));
    assert_eq!((last.rows[0].range, last.rows[1].range), (row("", 0, 0).range, row("", 1, 0).range));
    let all = gather(&ask(Span::Starting(TimeRange::ALL), None), both());
    assert_eq!((all.rows.len(), all.info.truncated), (ANSWER_ROWS, true));
    assert_eq!(all.rows[ANSWER_ROWS - 2].range, row("", 0, 0).range);
}
