use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::bucket::KeyRef;
use crate::metric::aggregate::Part;
use crate::metric::aggregate::part::Total;
use crate::metric::{TimeRange, Window};
use crate::money::Currency;
use crate::series::{Answer, AnswerInfo, AnswerRow, Figure, Measured, Query, Span, Top};
use crate::tally::cells::CellRef;
use crate::tally::{Answering, CountedMetric, TallyAck, TallyBatch, TallyRequest, TallyRows};
use crate::time::MINUTE;

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn rows() -> TallyRows {
    let totals = vec![(Some(euro()), Total { sum: -5, count: 2 })];
    let parts = [(1, Part::Totals(totals))];
    let cell = |(start, offset): (i64, u64)| {
        let parts = if start > 0 { &parts[..] } else { &[] };
        CellRef { start, offset, counted: offset.is_multiple_of(2), numbers: &[1, -2, i64::MAX], parts }
    };
    let mut rows = TallyRows::default();
    rows.push(KeyRef::of("b"), [(MINUTE, 11)].map(cell).into_iter());
    rows.push(KeyRef::of("a"), [(i64::MIN, 12), (0, 12), (MINUTE, 17)].map(cell).into_iter());
    rows.push(KeyRef::of("none"), std::iter::empty());
    rows
}

#[test]
fn what_owners_say_arrives_as_it_was_said() {
    let batch = TallyBatch {
        epoch: 3,
        from: 10,
        to: 20,
        answer: Some(Answering { since: 4, number: 9, last: true }),
        high_water: i64::MIN,
        settings_hash: u64::MAX,
        metrics: Arc::new(BTreeMap::from([("sales".to_owned(), CountedMetric { meaning: 9, since: 0 })])),
        rows: rows(),
    };
    let (from, to) = (ShardId::users(17), ShardId::products(3));
    for message in [
        PeerMessage::Tally(batch),
        PeerMessage::TallySince(TallyRequest { since: 7 }),
        PeerMessage::TallyAck(TallyAck { upto: 9, durable: 8 }),
    ] {
        assert_eq!(from_link(to_link(from, to, message.clone())), Ok((from, to, message)));
    }
}

#[test]
fn questions_and_answers_arrive_as_they_were_sent() {
    let range = TimeRange { start: -MINUTE, end: MINUTE };
    let query = Query {
        shop: "main".to_owned(),
        metric: "sales".to_owned(),
        key_set: 1,
        window: Some(Window::Sliding { size: 5 * MINUTE, step: MINUTE }),
        key: Some(vec!["shoes".to_owned()]),
        given: vec![(0, "x".to_owned())],
        span: Span::Starting(range),
        closed_only: true,
        top: Some(Top { measure: 2, n: 10, ascending: true, currency: euro() }),
    };
    for span in [query.span, Span::Newest, Span::Last(7)] {
        let query = Query { span, ..query.clone() };
        assert_eq!(Query::from_peer(query.to_peer()), Ok(query));
    }
    let measured = |figure| Measured { figure, sketched: true };
    let answer = Answer {
        rows: vec![AnswerRow {
            key: "main/sales/1\u{1f}shoes".to_owned(),
            window: Window::Total,
            range,
            values: vec![
                measured(Figure::None),
                measured(Figure::Integer(-1)),
                measured(Figure::Fraction { numerator: 1, denominator: 0 }),
                measured(Figure::Amounts(vec![(Some(euro()), 1999), (None, 1)])),
                measured(Figure::Means(vec![(None, Total { sum: 7, count: 2 })])),
            ],
            provisional: true,
        }],
        info: AnswerInfo {
            as_of: Some(-1),
            held_by: vec![3],
            revision: 70,
            positions: vec![(0, 30), (3, 40)],
            truncated: true,
            origin: Default::default(),
        },
    };
    assert_eq!(Answer::from_peer(answer.to_peer()), Ok(answer));
}

#[test]
fn what_is_no_message_of_ours_is_refused() {
    for text in ["", "users", "users-", "carts-1", "users-70000", "users--1"] {
        assert!(text.parse::<ShardId>().is_err(), "{text}");
    }
    assert!(from_link(internal::LinkRequest::default()).is_err());
    assert!(Query::from_peer(internal::Query::default()).is_err());
}
