//! Reads a segment's frames one after the other and checks all of them.

use souk_model::time::Millis;

use crate::frame::{ALIGN, Flaw, Frame};
use crate::segment::{Header, Index};

/// Where the log stands after what has been read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) next_frame: u64,
    pub(super) ends: Vec<u64>,
    pub(super) append_time: Millis,
}

impl Standing {
    pub(super) fn before(header: &Header) -> Self {
        Self { next_frame: header.first_frame, ends: header.ends.clone(), append_time: header.append_time }
    }

    /// Goes on by a frame, if it is the next one.
    fn follow(&mut self, frame: &Frame<'_>) -> Result<(), Flaw> {
        if frame.head.number != self.next_frame {
            return Err(Flaw::Gap);
        }
        for (group, _) in frame.groups() {
            let end = self.ends.get_mut(group.partition).ok_or(Flaw::Gap)?;
            if group.first != *end + 1 {
                return Err(Flaw::Gap);
            }
            *end += u64::from(group.records);
        }
        self.next_frame += 1;
        self.append_time = frame.head.append_time;
        Ok(())
    }
}

/// What a segment's frames are, up to the first that is none.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) standing: Standing,
    pub(super) index: Index,
    /// The newest frame that a frame of the segment names as synced.
    pub(super) synced: u64,
    /// Why it ended before the file did.
    pub(super) flaw: Option<Flaw>,
}

impl Scan {
    /// `bytes` is the whole file, `header` what stands at its start.
    pub(super) fn run(topic_id: u64, header: &Header, block_bytes: u64, bytes: &[u8]) -> Self {
        let partitions = header.ends.len();
        let start = Header::bytes_of(partitions) as u64;
        let mut scan = Self {
            standing: Standing::before(header),
            index: Index::new(partitions, block_bytes, start, header.append_time),
            synced: header.first_frame - 1,
            flaw: None,
        };
        while let Some(rest) = bytes.get(scan.index.end as usize..).filter(|rest| !rest.is_empty()) {
            if let Err(flaw) = scan.next(topic_id, header, rest) {
                scan.flaw = Some(flaw);
                break;
            }
        }
        scan
    }

    fn next(&mut self, topic_id: u64, header: &Header, rest: &[u8]) -> Result<(), Flaw> {
        let frame = Frame::parse(topic_id, rest)?;
        frame.verify(rest)?;
        let before = self.standing.clone();
        if let Err(flaw) = self.standing.follow(&frame) {
            self.standing = before;
            return Err(flaw);
        }
        self.index.add(frame.len() as u64, frame.head.append_time, &before.ends, &header.ends);
        self.synced = self.synced.max(frame.head.synced);
        Ok(())
    }
}

/// The newest frame that any frame after `at` names as synced: proof of what had been there.
pub(super) fn synced_after(topic_id: u64, bytes: &[u8], at: u64) -> u64 {
    let after = (at as usize..bytes.len()).step_by(ALIGN).skip(1);
    let frames = after.filter_map(|at| Frame::parse(topic_id, &bytes[at..]).ok());
    frames.map(|frame| frame.head.synced).max().unwrap_or_default()
}

/// Where the frame after this one begins, in a file whose frames are sound that far.
pub(super) fn end_of(topic_id: u64, bytes: &[u8], first_at: u64, number: u64) -> u64 {
    let mut at = first_at;
    while let Some(rest) = bytes.get(at as usize..) {
        match Frame::parse(topic_id, rest) {
            Ok(frame) if frame.head.number <= number => at += frame.len() as u64,
            _ => break,
        }
    }
    at
}
