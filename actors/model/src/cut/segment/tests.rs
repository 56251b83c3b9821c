use proptest::prelude::*;

use super::*;

fn segment(blob: Vec<u8>, base: bool) -> Segment {
    Segment { id: SegmentId { section: 7, cut: 3, epoch: 2 }, base, blob: blob.into() }
}

type Row = (String, Option<Vec<u8>>, Deadlines);

fn rows(base: bool) -> impl Strategy<Value = Vec<Row>> {
    let deadline = || prop::option::of(any::<i64>());
    let state = prop::collection::vec(any::<u8>(), 0..300);
    let row = ("[a-z]{1,4}/[a-z0-9:é-]{0,40}", prop::option::of(state), deadline(), deadline());
    prop::collection::vec(row, 0..60).prop_map(move |rows| {
        let row = |(key, state, watermark, log_time): (String, Option<Vec<u8>>, _, _)| {
            let state = if base { Some(state.unwrap_or_default()) } else { state };
            let deadlines = Deadlines { watermark, log_time };
            let deadlines = if state.is_some() { deadlines } else { Deadlines::default() };
            (key, state, deadlines)
        };
        rows.into_iter().map(row).collect()
    })
}

fn write(rows: &[Row], base: bool) -> Vec<u8> {
    let mut writer = Writer::new(7, base, 0);
    for (key, state, deadlines) in rows {
        match state {
            Some(state) => writer.put(key.as_bytes(), *deadlines, |out| out.extend_from_slice(state)),
            None => writer.remove(key.as_bytes()),
        };
    }
    writer.finish()
}

fn read(segment: &Segment) -> Result<Vec<Row>, StateError> {
    let mut rows = Vec::new();
    segment.open()?.each(|entry| {
        rows.push((entry.key.to_owned(), entry.state.map(<[u8]>::to_vec), entry.deadlines));
        Ok(())
    })?;
    Ok(rows)
}

proptest! {
    #[test]
    fn what_is_written_is_read(base in any::<bool>(), (delta, whole) in (rows(false), rows(true))) {
        let rows = if base { whole } else { delta };
        prop_assert_eq!(read(&segment(write(&rows, base), base)), Ok(rows));
    }

    #[test]
    fn one_flipped_bit_is_damage(rows in rows(false), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut blob = write(&rows, false);
        let at = at.index(blob.len());
        blob[at] ^= 1 << bit;
        prop_assert!(matches!(read(&segment(blob, false)), Err(StateError::Damaged(_))));
    }

    /// The checksum is right, so it is the reader itself that must hold.
    #[test]
    fn any_bytes_are_read_or_refused(message in prop::collection::vec(any::<u8>(), 0..200), raw in any::<u32>()) {
        let lying = state::Segment {
            section: 7,
            blocks: vec![state::Block { raw_bytes: raw, lz4: message.clone() }],
            ..state::Segment::default()
        };
        let unpacked = state::Segment {
            section: 7,
            blocks: vec![pack(&message)],
            ..state::Segment::default()
        };
        for message in [message, lying.encode_to_vec(), unpacked.encode_to_vec()] {
            drop(read(&segment(seal(VERSION, &message), false)));
        }
    }
}

fn seal(version: u8, message: &[u8]) -> Vec<u8> {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(message), &[version]);
    [&[version][..], &checksum.to_le_bytes(), message].concat()
}

#[test]
fn a_newer_format_is_told_from_damage() {
    let newer = segment(seal(VERSION + 1, b"whatever it may mean"), true);
    assert_eq!(newer.open().err(), Some(StateError::Newer { found: VERSION + 1, newest: VERSION }));
}

#[test]
fn another_sections_segment_is_refused() {
    let mut stray = segment(write(&[], true), true);
    assert!(stray.open().is_ok());
    stray.id.section = 8;
    assert!(matches!(stray.open(), Err(StateError::Damaged(_))));
}

#[test]
fn a_claim_beyond_the_blob_allocates_nothing() {
    let block = state::Block { raw_bytes: u32::MAX, lz4: vec![0; 16] };
    let mut raw = Vec::new();
    assert!(unpack(&block, &mut raw).is_err());
    assert_eq!(raw.capacity(), 0);
}

#[test]
fn big_sections_come_in_blocks_and_a_single_piece_comes_back() {
    let rows: Vec<Row> = (0..5_000)
        .map(|n| (format!("main/user-{n:06}"), Some(vec![n as u8; 90]), Deadlines::default()))
        .collect();
    let stored = segment(write(&rows, true), true);
    assert!(stored.open().expect("sound").message.blocks.len() > 5);
    assert_eq!(read(&stored), Ok(rows));
    assert_eq!(read_single(&segment(write_single(7, b"header"), true)), Ok(b"header".to_vec()));
}
