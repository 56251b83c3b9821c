//! A segment: one file of the log. A header that says where every partition stood when it began, frames, and once it is full a footer
//! with its index. The next segment is begun only when this one is whole on the disk.

use parking_lot::RwLock;

mod footer;
mod header;
mod index;

pub(crate) use footer::Footer;
pub(crate) use header::Header;
pub(crate) use index::{Block, Index};

const SUFFIX: &str = ".log";

/// A segment as readers know it. Its file is opened when it is read: a log has more segments than a process may have files open.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) header: Header,
    /// What of it readers may see. Only the newest segment's grows.
    pub(crate) index: RwLock<Index>,
}

impl Segment {
    /// The end of a partition when the segment began: its entries here have higher offsets.
    pub(crate) fn base(&self, partition: usize) -> u64 {
        self.header.ends[partition]
    }
}

/// Name of the segment that begins with this frame.
pub(crate) fn name(first_frame: u64) -> String {
    format!("{first_frame:020}{SUFFIX}")
}

/// The first frame of a segment by its name; none of what is no segment.
pub(crate) fn first_frame(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 20)?.parse().ok()
}
