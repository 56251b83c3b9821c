//! Recovery: finds where the log ends, and refuses to go on over a loss.
//!
//! What a crash leaves is damage above the newest synced end: frames that nobody was told of, cut off here. Every frame, every segment and
//! the meta file name a synced end. Damage below the newest one is a loss of acknowledged records, so nothing is changed and the error
//! says where it is. Sealed segments are taken by their footers; their frames are checked when they are read, or all at once
//! by [`Check::Everything`].

use std::cmp::Ordering;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use souk_model::time::Millis;

use crate::Error;
use crate::disk::{Disk, File, read_most, write_all};
use crate::frame::Flaw;
use crate::meta::Meta;
use crate::options::Check;
use crate::segment::{self, Footer, Header, Index, Segment};

mod scan;

use scan::{Scan, Standing};

/// The log as it was found, and made durable.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Never empty; the newest last.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Of the newest segment.
    pub(crate) file: Arc<dyn File>,
    pub(crate) ends: Vec<u64>,
    /// The newest frame. All up to it is synced.
    pub(crate) number: u64,
    pub(crate) append_time: Millis,
    /// The newest segment takes no more frames.
    pub(crate) is_sealed: bool,
}

/// The segment that goes on.
struct Newest {
    segment: Arc<Segment>,
    standing: Standing,
    file: Arc<dyn File>,
    is_sealed: bool,
}

/// What recovery works with.
#[derive(Debug)]
pub(crate) struct Recovery<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) dir: &'a Path,
    pub(crate) meta: &'a Meta,
    pub(crate) block_bytes: u64,
    pub(crate) check: Check,
}

impl Recovery<'_> {
    pub(crate) fn run(&self) -> Result<Recovered, Error> {
        let frames = first_frames(self.disk).map_err(self.failed("list", self.dir.to_owned()))?;
        let Some((newest, older)) = frames.split_last() else {
            return Err(self.missing(1, self.meta.synced.max(1)));
        };
        let mut segments = Vec::with_capacity(frames.len());
        let mut standing: Option<Standing> = None;
        for (n, first_frame) in older.iter().enumerate() {
            let (segment, after) = self.older(*first_frame, frames[n + 1], standing.as_ref())?;
            segments.push(segment);
            standing = Some(after);
        }
        let (standing, file, is_sealed) = match self.newest(*newest, standing.as_ref())? {
            Some(Newest { segment, standing, file, is_sealed }) => {
                segments.push(segment);
                (standing, file, is_sealed)
            }
            // Only a segment that follows another may have hardly begun.
            None => {
                let (Some(standing), Some(segment)) = (standing, segments.last()) else {
                    return Err(self.damaged(*newest, 0, Flaw::Torn));
                };
                let file = self.disk.open(&segment.name);
                (standing, file.map_err(self.failed("open", self.dir.join(&segment.name)))?, true)
            }
        };
        let Standing { next_frame, ends, append_time } = standing;
        Ok(Recovered { segments, file, ends, number: next_frame - 1, append_time, is_sealed })
    }

    /// A segment that another follows: all of it had been synced.
    fn older(
        &self,
        first_frame: u64,
        next_frame: u64,
        before: Option<&Standing>,
    ) -> Result<(Arc<Segment>, Standing), Error> {
        let failed = || self.failed("read", self.path(first_frame));
        let (file, header) = self.open(first_frame).map_err(failed())?;
        let header = header.map_err(|flaw| self.damaged(first_frame, 0, flaw))?;
        self.joined(first_frame, &header, before)?;
        let partitions = header.ends.len();
        let footer = Footer::load(self.meta.topic_id, partitions, &*file).map_err(failed())?;
        let (standing, index) = match (footer, self.check) {
            (Some(Footer { next_frame, ends, index }), Check::Newest) => {
                (Standing { next_frame, ends, append_time: index.append_time }, index)
            }
            (footer, _) => {
                let bytes = read_most(&*file, 0, file.len().map_err(failed())?).map_err(failed())?;
                let mut scan = self.scan(&header, &bytes, footer.as_ref());
                // Behind the last frame there is a footer, or what a footer was.
                match scan.flaw {
                    Some(flaw) if scan.standing.next_frame != next_frame => {
                        return Err(self.damaged(first_frame, scan.index.end, flaw));
                    }
                    _ => scan.index.seal(),
                }
                (scan.standing, scan.index)
            }
        };
        match standing.next_frame.cmp(&next_frame) {
            Ordering::Less => Err(self.missing(standing.next_frame, next_frame - 1)),
            Ordering::Equal => Ok((segment(first_frame, header, index), standing)),
            Ordering::Greater => Err(self.damaged(next_frame, 0, Flaw::Unjoined)),
        }
    }

    /// The newest segment: what is not known to have been synced may be torn, and is made durable. None where a crash left a segment that
    /// had hardly begun.
    fn newest(&self, first_frame: u64, before: Option<&Standing>) -> Result<Option<Newest>, Error> {
        let failed = |doing| self.failed(doing, self.path(first_frame));
        let (file, header) = self.open(first_frame).map_err(failed("read"))?;
        let bytes = file.len().and_then(|len| read_most(&*file, 0, len)).map_err(failed("read"))?;
        let header = match header {
            Ok(header) => header,
            Err(flaw) => {
                // Frames are written only behind a header that is synced.
                let has_begun = bytes.len() > Header::bytes_of(self.meta.layout.len());
                if before.is_none() || has_begun || self.meta.synced >= first_frame {
                    return Err(self.damaged(first_frame, 0, flaw));
                }
                tracing::warn!(file = %self.path(first_frame).display(), "removed a segment that had hardly begun");
                self.disk.remove(&segment::name(first_frame)).map_err(failed("remove"))?;
                return Ok(None);
            }
        };
        self.joined(first_frame, &header, before)?;
        let footer = Footer::load(self.meta.topic_id, header.ends.len(), &*file).map_err(failed("read"))?;
        let mut scan = self.scan(&header, &bytes, footer.as_ref());
        let at = scan.index.end;
        let is_sealed = footer.as_ref().is_some_and(|footer| footer.index.end == at);
        let lost = self.newest_synced(&bytes, footer.as_ref(), &scan);
        if lost >= scan.standing.next_frame {
            return Err(match scan.flaw {
                Some(flaw) => self.damaged(first_frame, at, flaw),
                None => self.missing(scan.standing.next_frame, lost),
            });
        }
        let end = if is_sealed { bytes.len() as u64 } else { at };
        self.settle(&*file, &header, &bytes[..end as usize], &scan).map_err(failed("write"))?;
        if is_sealed {
            scan.index.seal();
        }
        let segment = segment(first_frame, header, scan.index);
        Ok(Some(Newest { segment, standing: scan.standing, file, is_sealed }))
    }

    /// Reads the frames in front of the footer, if there is one.
    fn scan(&self, header: &Header, bytes: &[u8], footer: Option<&Footer>) -> Scan {
        let end = footer.map_or(bytes.len(), |footer| footer.index.end as usize);
        Scan::run(self.meta.topic_id, header, self.block_bytes, &bytes[..end])
    }

    /// The newest frame that anything says was synced.
    fn newest_synced(&self, bytes: &[u8], footer: Option<&Footer>, scan: &Scan) -> u64 {
        let by_footer = footer.map_or(0, |footer| footer.next_frame - 1);
        let by_frames = match scan.flaw {
            Some(_) => scan::synced_after(self.meta.topic_id, bytes, scan.index.end),
            None => 0,
        };
        self.meta.synced.max(by_footer).max(by_frames)
    }

    /// Cuts off what a crash left and makes the rest durable. What is not known to be on the disk is written again: after a sync that
    /// failed, the system may show it from memory and never write it.
    fn settle(&self, file: &dyn File, header: &Header, sound: &[u8], scan: &Scan) -> io::Result<()> {
        let len = file.len()?;
        if len > sound.len() as u64 {
            tracing::warn!(
                segment = header.first_frame,
                at = sound.len(),
                bytes = len - sound.len() as u64,
                "cut off what a crash left unfinished"
            );
            file.truncate(sound.len() as u64)?;
        }
        let synced = scan.synced.max(self.meta.synced);
        let from = match synced >= header.first_frame {
            true => {
                scan::end_of(self.meta.topic_id, sound, Header::bytes_of(header.ends.len()) as u64, synced)
            }
            false => 0,
        };
        write_all(file, &mut [IoSlice::new(&sound[from as usize..])], from)?;
        file.sync()
    }

    /// Whether a segment goes on where the one before it ends.
    fn joined(&self, first_frame: u64, header: &Header, before: Option<&Standing>) -> Result<(), Error> {
        let joined =
            header.first_frame == first_frame && before.is_none_or(|before| before.ends == header.ends);
        if joined { Ok(()) } else { Err(self.damaged(first_frame, 0, Flaw::Unjoined)) }
    }

    fn open(&self, first_frame: u64) -> io::Result<(Arc<dyn File>, Result<Header, Flaw>)> {
        let file = self.disk.open(&segment::name(first_frame))?;
        let partitions = self.meta.layout.len();
        let bytes = read_most(&*file, 0, Header::bytes_of(partitions) as u64)?;
        let header = Header::decode(self.meta.topic_id, partitions, &bytes);
        Ok((file, header))
    }

    fn path(&self, first_frame: u64) -> PathBuf {
        self.dir.join(segment::name(first_frame))
    }

    fn failed(&self, doing: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Error + use<> {
        move |source| Error::Io { doing, path, source }
    }

    fn damaged(&self, first_frame: u64, at: u64, flaw: Flaw) -> Error {
        Error::Damaged { file: self.path(first_frame), at, flaw }
    }

    fn missing(&self, from: u64, to: u64) -> Error {
        Error::Missing { dir: self.dir.to_owned(), from, to }
    }
}

fn segment(first_frame: u64, header: Header, index: Index) -> Arc<Segment> {
    Arc::new(Segment { name: segment::name(first_frame), header, index: RwLock::new(index) })
}

/// First frames of the directory's segments, in order.
pub(crate) fn first_frames(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    let mut frames: Vec<_> = disk.list()?.iter().filter_map(|name| segment::first_frame(name)).collect();
    frames.sort_unstable();
    Ok(frames)
}
