//! Section 2 and 9: what becomes of an event.

use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{AddCartItem, BridgeStamp, Command, EraseUser, EventRecord, command};
use souk_proto::v1::ErrorReason;
use souk_sim::recount::{ShardName, Verdict};

use super::journal::{DAY0, FACTS, HOUR, MINUTE, SECOND, Shard, by, counted, page, stamp, user, verdict};

#[test]
fn an_id_is_known_for_sixty_whole_minutes_of_log_time() {
    let mut users = Shard::users();
    let start = DAY0 + 30 * SECOND;
    users.event(start, by("a", "e", page("/", "")));
    users.event(DAY0 + 60 * MINUTE + 59 * SECOND, by("a", "e", page("/", "")));
    users.event(DAY0 + 61 * MINUTE, by("a", "e", page("/", "")));
    users.event(DAY0 + 61 * MINUTE, by("b", "e", page("/", "")));
    let result = counted(FACTS, &[&users]);
    let found: Vec<_> = (0..4).map(|offset| verdict(&result, offset)).collect();
    assert_eq!(found, [Verdict::Counted, Verdict::Duplicate, Verdict::Counted, Verdict::Counted]);
    let totals = result.totals[&ShardName::users(0)];
    assert_eq!((totals.received, totals.counted, totals.duplicate), (4, 3, 1));
}

#[test]
fn time_out_of_range_moves_nothing_and_below_the_horizon_is_late() {
    let mut users = Shard::users();
    let now = DAY0 + 10 * 24 * HOUR;
    users.event(now, by("a", "1", page("/", "")));
    users.late(now, now + 5 * MINUTE, by("a", "2", page("/", "")));
    users.late(now, now + 5 * MINUTE + 1, by("a", "3", page("/", "")));
    users.late(now, now - 7 * 24 * HOUR - 1, by("a", "4", page("/", "")));
    users.late(now, now - 24 * HOUR - 5 * SECOND, by("a", "5", page("/", "")));
    users.late(now, now - 24 * HOUR - 5 * SECOND - 1, by("a", "6", page("/", "")));
    let out = Verdict::Rejected(ErrorReason::TimeOutOfRange);
    let result = counted(FACTS, &[&users]);
    let found: Vec<_> = (0..6).map(|offset| verdict(&result, offset)).collect();
    assert_eq!(found, [Verdict::Counted, Verdict::Counted, out, out, Verdict::Counted, Verdict::Late]);
}

#[test]
fn what_cannot_be_decoded_is_received_and_rejected() {
    let mut users = Shard::users();
    users.raw(DAY0, vec![0xff]);
    users.event(DAY0, by("a", "1", page("", "")));
    let result = counted(FACTS, &[&users]);
    assert_eq!(verdict(&result, 0), Verdict::Rejected(ErrorReason::PayloadUndecodable));
    assert_eq!(verdict(&result, 1), Verdict::Rejected(ErrorReason::FieldMissing));
    assert_eq!(result.totals[&ShardName::users(0)].received, 2);
}

#[test]
fn a_foreign_offset_counts_once() {
    let mut users = Shard::users();
    let mut bridged = |id: &str, offset: u64, stable: Option<u64>| {
        let bridge = Some(BridgeStamp { source: "t".to_owned(), partition: 0, offset, stable });
        let event = Some(by("a", id, page("/", "")));
        users.record(DAY0, Body::Event(EventRecord { event, bridge, stamps: Vec::new() }))
    };
    bridged("1", 7, None);
    bridged("2", 7, None); // seen
    bridged("3", 6, None); // below, not seen
    bridged("4", 9, Some(8));
    bridged("5", 8, None); // at stable
    let result = counted(FACTS, &[&users]);
    let found: Vec<_> = (0..5).map(|offset| verdict(&result, offset)).collect();
    let (new, known) = (Verdict::Counted, Verdict::Duplicate);
    assert_eq!(found, [new, known, new, new, known]);
}

#[test]
fn an_erased_user_starts_anew() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", page("/", "")));
    users.command(DAY0 + MINUTE, "a", command::Action::EraseUser(EraseUser::default()), Vec::new());
    users.late(DAY0 + 2 * MINUTE, DAY0 + MINUTE, by("a", "2", page("/", "")));
    users.event(DAY0 + 2 * MINUTE, by("a", "1", page("/", "")));
    let result = counted(FACTS, &[&users]);
    assert_eq!(verdict(&result, 2), Verdict::Rejected(ErrorReason::UserErased));
    assert_eq!(verdict(&result, 3), Verdict::Counted);
    assert_eq!(user(&result, "a").sessions.len(), 1);
}

#[test]
fn a_skipped_record_passes_time_and_nothing_else() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", page("/", "")));
    let skipped = users.event(DAY0 + HOUR, by("a", "2", page("/", "")));
    users.late(DAY0, DAY0 + HOUR + 5 * MINUTE, by("a", "3", page("/", ""))); // in range of log time, which has moved
    users.0.skipped.insert(skipped);
    let result = counted(FACTS, &[&users]);
    assert_eq!(verdict(&result, 1), Verdict::Rejected(ErrorReason::InternalBug));
    assert_eq!(verdict(&result, 2), Verdict::Counted);
}

#[test]
fn a_request_repeated_has_the_same_outcome() {
    let mut users = Shard::users();
    let mut ask = |at: i64, body_hash: u64, if_version: Option<i64>| {
        let item = AddCartItem { product_id: "p".to_owned(), quantity: None };
        let command = Command {
            shop: "main".to_owned(),
            actor_id: "a".to_owned(),
            request_id: "r".to_owned(),
            body_hash,
            if_version,
            stamps: vec![stamp("p", 100)],
            action: Some(command::Action::AddCartItem(item)),
        };
        users.record(at, Body::Command(command))
    };
    ask(DAY0, 1, Some(7));
    ask(DAY0, 1, None); // the same request as far as its hash says
    ask(DAY0, 2, None);
    ask(DAY0 + 24 * HOUR + 1, 1, Some(0));
    let result = counted(FACTS, &[&users]);
    let found: Vec<_> = (0..4).map(|offset| verdict(&result, offset)).collect();
    let stale = Verdict::Refused(ErrorReason::VersionMismatch);
    assert_eq!(found, [stale, stale, Verdict::Refused(ErrorReason::RequestIdReused), Verdict::Done]);
}
