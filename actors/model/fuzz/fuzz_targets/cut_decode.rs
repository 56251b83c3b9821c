//! Any bytes in the store are a state or damaged, and no state has two encodings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use souk_model::actor::Actor;
use souk_model::cut::manifest::Manifest;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::product::Product;
use souk_model::user::User;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 4 {
        0 => state::<Product>(bytes),
        1 => state::<User>(bytes),
        2 => segment(bytes),
        // Only that it does not panic: a manifest is protobuf, which has more than one encoding of a message.
        _ => drop(Manifest::decode(bytes)),
    }
});

/// A state has one encoding: what is written from bytes that could be read is read and written as the same bytes.
fn state<A: Actor>(bytes: &[u8]) {
    let Ok(state) = A::decode(bytes) else { return };
    let written = encode(&state);
    let again = A::decode(&written).expect("what was written can be read");
    assert_eq!(written, encode(&again));
}

fn encode<A: Actor>(state: &A) -> Vec<u8> {
    let mut out = Vec::new();
    state.encode(&mut out);
    out
}

/// The checksum is put right, so that what lies behind it is reached.
fn segment(message: &[u8]) {
    let version = 1;
    let mut blob = vec![version];
    blob.extend_from_slice(&crc32c::crc32c_append(crc32c::crc32c(message), &[version]).to_le_bytes());
    blob.extend_from_slice(message);
    for base in [false, true] {
        let id = SegmentId { section: 0, cut: 1, epoch: 1 };
        if let Ok(opened) = (Segment { id, base, blob: blob.clone().into() }).open() {
            let mut entries = 0;
            let read = opened.each(|_| {
                entries += 1;
                Ok(())
            });
            assert!(read.is_err() || entries == opened.entries());
        }
    }
}
