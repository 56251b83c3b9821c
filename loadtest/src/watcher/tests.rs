//! The follower against hand-made frames.

use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;

use super::follower::{Follower, total};
use super::probe::Probes;

fn frame(kind: Kind, revision: i64, product: Option<&str>) -> v1::WatchMetricResponse {
    let info = v1::AnswerInfo { revision: Some(revision), ..Default::default() };
    let frame = v1::StreamFrame {
        kind: kind.into(),
        resume_token: format!("t{revision}"),
        info: Some(info),
        ..Default::default()
    };
    let row = product.map(|product| v1::MetricRow {
        key: [("product".to_owned(), product.to_owned())].into(),
        window: "total".to_owned(),
        ..Default::default()
    });
    v1::WatchMetricResponse { frame: Some(frame), query: 0, row }
}

fn products(follower: &Follower) -> Vec<&str> {
    follower.rows(0).map(|row| row.key["product"].as_str()).collect()
}

#[test]
fn a_new_snapshot_takes_away_what_it_does_not_repeat() {
    let mut follower = Follower::new(vec![total("products", &["product"])]);
    for one in [
        frame(Kind::Snapshot, 1, Some("a")),
        frame(Kind::Snapshot, 1, Some("b")),
        frame(Kind::SnapshotEnd, 1, None),
        frame(Kind::Delta, 2, Some("c")),
    ] {
        follower.take(one);
    }
    assert_eq!(products(&follower), ["a", "b", "c"]);
    assert_eq!(follower.token(), "t2");
    follower.take(frame(Kind::Snapshot, 3, Some("c")));
    follower.take(frame(Kind::SnapshotEnd, 3, None));
    assert_eq!(products(&follower), ["c"]);
    follower.take(frame(Kind::Delete, 4, Some("c")));
    assert!(products(&follower).is_empty());
    assert!(follower.faults.is_empty(), "{:?}", follower.faults);
}

#[test]
fn a_step_back_is_noted() {
    let mut follower = Follower::new(vec![total("products", &["product"])]);
    follower.take(frame(Kind::Delta, 7, Some("a")));
    follower.take(frame(Kind::Delta, 6, Some("b")));
    assert!(follower.faults.is_empty(), "rows have revisions of their own");
    follower.take(frame(Kind::Delta, 6, Some("a")));
    assert_eq!(follower.faults.len(), 1);
}

#[test]
fn watchers_share_the_keys_out() {
    let probes = Probes::new("x", 3, false);
    assert_eq!(probes.expected(7), 0, "nothing was sent");
    for (key, count) in [(0, 2), (1, 1), (2, 5)] {
        for _ in 0..count {
            probes.note(key, tokio::time::Instant::now());
        }
    }
    assert_eq!(probes.expected(7), 2 * 3 + 2 + 5 * 2);
}
