use super::*;
use crate::metric::TimeRange;
use crate::origin::Origin;
use crate::series::{AnswerInfo, Figure, Measured};
use crate::tally::text_of;
use crate::time::MINUTE;

const GROUND: Ground = Ground { topic_id: 7, settings_hash: u64::MAX };
const FIVE_MINUTES: Window = Window::Sliding { size: 5 * MINUTE, step: MINUTE };

fn answer(positions: &[(u16, u64)]) -> Answer {
    let measured = |figure| Measured { figure, sketched: true };
    let row = AnswerRow {
        key: text_of("main", "active_users", 0, &[]),
        window: FIVE_MINUTES,
        range: TimeRange { start: -MINUTE, end: 4 * MINUTE },
        values: vec![measured(Figure::Fraction { numerator: 1, denominator: 3 }), measured(Figure::None)],
        provisional: true,
    };
    let info = AnswerInfo {
        as_of: Some(3 * MINUTE),
        held_by: vec![2],
        revision: positions.iter().map(|(_, offset)| offset).sum(),
        positions: positions.to_vec(),
        truncated: false,
        origin: Origin::Owner,
    };
    Answer { rows: vec![row], info }
}

fn kept() -> KeptAnswer {
    KeptAnswer { answer: answer(&[(0, 5), (1, 9)]), ground: GROUND, given: 1_234 }
}

fn query() -> Query {
    Query {
        shop: "main".to_owned(),
        metric: "active_users".to_owned(),
        key_set: 0,
        window: Some(FIVE_MINUTES),
        key: Some(Vec::new()),
        given: Vec::new(),
        span: Span::Newest,
        closed_only: false,
        top: None,
    }
}

#[test]
fn an_answer_is_found_whole_where_its_question_looks() {
    let Command { name, what, order, ttl } = kept().command(None);
    let What::Answer { bytes } = what else { panic!("{what:?}") };
    assert_eq!(kept_under(&Settings::builtin(), &query()).as_ref(), Some(&name));
    assert_eq!((order.revision, ttl), (14, Some(ANSWER_KEPT)));
    assert_eq!(kept().command(Some(MINUTE)).ttl, Some(MINUTE), "not longer than the values beside it");
    assert_eq!(KeptAnswer::found(&name, &bytes, GROUND), Some(kept()));
}

#[test]
fn nothing_else_is_taken_for_it() {
    let Command { name, what: What::Answer { bytes }, .. } = kept().command(None) else { unreachable!() };
    let found = |name: &str, bytes: &[u8], ground| KeptAnswer::found(name, bytes, ground);
    assert_eq!(found("souk:answer:main/active_users/0:30m/1m", &bytes, GROUND), None, "another question's");
    assert_eq!(found(&name, &bytes, Ground { topic_id: 8, ..GROUND }), None, "another topic's");
    assert_eq!(found(&name, &bytes, Ground { settings_hash: 1, ..GROUND }), None, "under other settings");
    assert_eq!(found(&name, &bytes[1..], GROUND), None);
    assert_eq!(found(&name, b"17", GROUND), None);
    assert_eq!(found(&name, b"", GROUND), None);
    let mut two = kept();
    two.answer.rows.extend(kept().answer.rows);
    assert_eq!(found(&name, &two.encode(), GROUND), None);
}

#[test]
fn it_answers_instead_of_a_cut_that_it_includes_and_goes_beyond() {
    let instead_of = |positions| kept().instead_of(&answer(positions)).is_some();
    assert!(instead_of(&[(0, 5), (1, 8)]));
    assert!(instead_of(&[]), "the cut had heard of nobody");
    assert!(!instead_of(&[(0, 5), (1, 9)]), "the cut says it all");
    assert!(!instead_of(&[(0, 6), (1, 9)]));
    assert!(!instead_of(&[(0, 6), (1, 1)]), "of one source it knows less");
    assert!(!instead_of(&[(0, 1), (1, 1), (2, 1)]), "of one source it knows nothing");
    assert_eq!(kept().instead_of(&answer(&[])), Some((answer(&[(0, 5), (1, 9)]), 1_234)));
}

#[test]
fn questions_it_answers_are_for_the_newest_window_of_one_row_that_stands_by_itself() {
    let settings = Settings::builtin();
    let is_kept = |query: Query| kept_under(&settings, &query).is_some();
    assert!(is_kept(query()));
    assert!(is_kept(Query { span: Span::Last(1), ..query() }));
    assert!(!is_kept(Query { span: Span::Last(2), ..query() }));
    assert!(!is_kept(Query { span: Span::Starting(TimeRange::ALL), ..query() }));
    assert!(!is_kept(Query { closed_only: true, ..query() }));
    assert!(!is_kept(Query { key: None, ..query() }));
    assert!(!is_kept(Query { window: None, ..query() }), "the metric's first window is another");

    let carts = |key_set, key| Query {
        metric: "abandoned_carts".to_owned(),
        key_set,
        key,
        window: None,
        span: Span::Starting(TimeRange::ALL),
        ..query()
    };
    assert!(is_kept(carts(0, Some(Vec::new()))), "of `total` there is one window");
    assert!(!is_kept(carts(1, Some(vec!["cart".to_owned()]))), "a stage has no name in the view");

    let of = |metric: &str, window, value: &str| Query {
        metric: metric.to_owned(),
        key: Some(vec![value.to_owned()]),
        window: Some(window),
        ..query()
    };
    let minute = Window::Tumbling { size: MINUTE };
    assert!(is_kept(of("region_trips", minute, "42")));
    assert!(!is_kept(of("products", minute, "p-1")), "rows that are told of and gone");
    assert!(!is_kept(of("compat_top_products", Window::Tumbling { size: 60 * MINUTE }, "p-1")), "ranked");
    assert!(!is_kept(of("sales", Window::Total, "books")), "not in Redis at all");
    assert!(!is_kept(of("no_such_metric", minute, "x")));
}
