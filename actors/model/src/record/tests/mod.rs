mod commands;
mod events;

use souk_proto::journal::v1 as journal;
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use super::*;
use crate::journal::Journal;

/// What a check refused, as `field REASON`; empty when it did not.
fn refused(checked: Result<(), Refusal>) -> String {
    match checked {
        Ok(()) => String::new(),
        Err(refusal) => {
            let reason = refusal.reason.as_str_name().trim_start_matches("ERROR_REASON_");
            format!("{} {reason}", refusal.field)
        }
    }
}

fn euros(minor: i64) -> Option<v1::Money> {
    Some(v1::Money { currency_code: "EUR".to_owned(), minor_units: Some(minor) })
}

fn dollars(minor: i64) -> Option<v1::Money> {
    Some(v1::Money { currency_code: "USD".to_owned(), minor_units: Some(minor) })
}

/// A valid event of a kind, by a user in a session.
fn event(kind: Kind) -> v1::Event {
    v1::Event {
        event_id: "e-1".to_owned(),
        user_id: "alice".to_owned(),
        session_id: "s-1".to_owned(),
        kind: Some(kind),
        ..Default::default()
    }
}

fn page_view() -> v1::Event {
    event(Kind::PageView(v1::PageView { page: "/mugs".to_owned(), ..Default::default() }))
}

fn bytes(body: Body) -> Vec<u8> {
    journal::Record { body: Some(body) }.encode_to_vec()
}

fn event_bytes(event: v1::Event) -> Vec<u8> {
    bytes(Body::Event(journal::EventRecord { event: Some(event), ..Default::default() }))
}

fn decoded(event: v1::Event) -> Event {
    match decode(&event_bytes(event)) {
        Ok(Record::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_belongs_to_its_user_its_guest_or_itself() {
    let known = decoded(v1::Event { shop: "north".to_owned(), ..page_view() });
    assert_eq!((known.key.as_str(), known.keyless, known.time), ("north/alice", false, None));
    assert_eq!(known.fingerprint, xxhash_rust::xxh3::xxh3_64(b"e-1"));

    let guest = decoded(v1::Event { user_id: String::new(), ..page_view() });
    assert_eq!((guest.key.as_str(), guest.keyless), ("main/guest:s-1", false));

    let nobody = |kind| v1::Event { user_id: String::new(), session_id: String::new(), ..event(kind) };
    let trip = |id: &str| {
        Kind::Trip(v1::Trip {
            trip_id: id.to_owned(),
            region_id: 7,
            fare: euros(900),
            distance_meters: 4_200,
            duration: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
            ..Default::default()
        })
    };
    let ride = decoded(nobody(trip("t-1")));
    assert_eq!((ride.key.as_str(), ride.keyless), ("main/t-1", true));
    assert_eq!(decoded(nobody(trip(""))).key.as_str(), "main/e-1");

    let level = Some(v1::stock_step::Change::Level(5));
    let stock = v1::StockStep { product_id: "p-1".to_owned(), change: level, ..Default::default() };
    let stock = decoded(event(Kind::StockStep(stock)));
    assert_eq!((stock.key.as_str(), stock.keyless), ("main/p-1", false));
}

#[test]
fn records_find_their_journal_and_actor_before_they_are_appended() {
    let product = v1::Product { name: "products/p-1".to_owned(), ..Default::default() };
    let product_step = v1::ProductStep { product: Some(product), ..Default::default() };
    let of = |event| Body::Event(journal::EventRecord { event: Some(event), ..Default::default() });
    let command = |action| {
        Body::Command(journal::Command {
            shop: "main".to_owned(),
            actor_id: "x".to_owned(),
            action: Some(action),
            ..Default::default()
        })
    };
    let step = |action| {
        Body::Step(journal::Step {
            shop: "main".to_owned(),
            actor_id: "x".to_owned(),
            action: Some(action),
            ..Default::default()
        })
    };
    for (body, journal, key) in [
        (of(page_view()), Some(Journal::Users), Some("main/alice")),
        (of(event(Kind::ProductStep(product_step.into()))), Some(Journal::Products), Some("main/p-1")),
        (
            command(journal::command::Action::ClearCart(Default::default())),
            Some(Journal::Users),
            Some("main/x"),
        ),
        (
            command(journal::command::Action::EndSale(Default::default())),
            Some(Journal::Products),
            Some("main/x"),
        ),
        (step(journal::step::Action::Reserve(Default::default())), Some(Journal::Products), Some("main/x")),
        (step(journal::step::Action::Settled(Default::default())), Some(Journal::Users), Some("main/x")),
        (Body::Tick(Default::default()), None, None),
    ] {
        let record = journal::Record { body: Some(body) };
        assert_eq!(journal_of(&record), journal);
        assert_eq!(key_of(&record).as_ref().map(ActorKey::as_str), key);
        if let Ok(Record::Event(event)) = decode(&record.encode_to_vec()) {
            assert_eq!(Some(event.key), key_of(&record));
        }
    }
    assert_eq!((journal_of(&journal::Record::default()), key_of(&journal::Record::default())), (None, None));
}

#[test]
fn what_cannot_be_decoded_is_said_to_be_so() {
    for bytes in [&[][..], &[0xff; 3], &[0x9a, 0x06, 0x00]] {
        assert_eq!(refused(decode(bytes).map(drop)), " PAYLOAD_UNDECODABLE", "{bytes:?}");
    }
    let huge = vec![0; RECORD_BYTES + 1];
    assert_eq!(refused(decode(&huge).map(drop)), " PAYLOAD_UNDECODABLE");
}

#[test]
fn the_other_kinds_of_record_decode() {
    assert_eq!(decode(&bytes(Body::Tick(journal::Tick {}))), Ok(Record::Tick));
    let barrier = journal::VersionBarrier { fold_version: 3 };
    assert_eq!(decode(&bytes(Body::VersionBarrier(barrier))), Ok(Record::VersionBarrier(3)));

    let settings = crate::settings::Settings::builtin().record(1);
    assert_eq!(decode(&bytes(Body::Settings(settings.clone()))), Ok(Record::Settings(settings.clone())));
    let damaged = journal::Settings { hash: settings.hash ^ 1, ..settings };
    assert_eq!(refused(decode(&bytes(Body::Settings(damaged))).map(drop)), "settings.hash SETTINGS_INVALID");
    assert_eq!(refused(decode(&bytes(Body::Event(Default::default()))).map(drop)), "event FIELD_MISSING");
}

#[test]
fn stamps_and_bridges_have_bounds_too() {
    let stamp = journal::Stamp { product_id: "p-1".to_owned(), ..Default::default() };
    let with = |stamps, bridge| {
        let record = journal::EventRecord { event: Some(page_view()), stamps, bridge };
        refused(decode(&bytes(Body::Event(record))).map(drop))
    };
    assert_eq!(with(vec![stamp.clone()], None), "");
    assert_eq!(with(vec![stamp.clone(); 201], None), "stamps TOO_MANY_ITEMS");
    let priced = journal::Stamp { currency_code: "EURO".to_owned(), ..stamp.clone() };
    assert_eq!(with(vec![stamp.clone(), priced], None), "stamps[1].currency_code CURRENCY_UNKNOWN");
    let negative = journal::Stamp { price_minor_units: -1, ..stamp };
    assert_eq!(with(vec![negative], None), "stamps[0].price_minor_units VALUE_OUT_OF_RANGE");
    assert_eq!(with(vec![], Some(journal::BridgeStamp::default())), "bridge.source FIELD_MISSING");
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        drop(decode(&bytes));
    }

    /// A valid record with a few bytes replaced gets deeper than random bytes do.
    #[test]
    fn no_damaged_record_panics(at in 0..200_usize, with in proptest::collection::vec(proptest::num::u8::ANY, 1..4)) {
        for kind in events::valid_kinds() {
            let mut bytes = event_bytes(event(kind));
            for (n, byte) in with.iter().enumerate() {
                let place = (at + n) % bytes.len();
                bytes[place] = *byte;
            }
            drop(decode(&bytes));
        }
    }
}
