//! The file: opened, looked through once where its times must be known beforehand, and read in chunks beside the sending.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::limits::CHUNKS_AHEAD;
use super::reader::{As, Item, Reader, Unreadable};
use crate::cli::exit::{Exit, Failure};
use crate::publisher::limits::{BATCH_BYTES, BATCH_EVENTS};

/// Where lines come from.
#[derive(Debug, Clone)]
pub(super) enum Input {
    File(PathBuf),
    Stdin,
}

/// A reader of any input.
pub(super) type AnyReader = Reader<Box<dyn Read + Send>>;

/// Lines read at one go.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) items: Vec<Item>,
    /// Bytes of the file read by now.
    pub(super) bytes: u64,
}

/// Earliest and latest event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

impl Times {
    /// Of some lines; none where no line has a time.
    pub(super) fn of<'i>(items: impl IntoIterator<Item = &'i Item>) -> Option<Self> {
        let millis = items.into_iter().filter_map(|item| item.became.as_ref().ok()?.millis);
        millis.fold(None, |times, millis| match times {
            None => Some(Self { earliest: millis, latest: millis }),
            Some(Self { earliest, latest }) => {
                Some(Self { earliest: earliest.min(millis), latest: latest.max(millis) })
            }
        })
    }

    fn join(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { earliest: self.earliest.min(other.earliest), latest: self.latest.max(other.latest) }
    }
}

impl Input {
    pub(super) fn of(name: &str) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
    }

    /// As it is called in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Where its rejects go unless somebody says otherwise.
    pub(super) fn rejects(&self) -> PathBuf {
        let name = match self {
            Self::File(path) => path.as_os_str().to_owned(),
            Self::Stdin => "stdin".into(),
        };
        let mut name = name;
        name.push(".rejects.ndjson");
        name.into()
    }

    /// Bytes of it, if it is a plain file.
    pub(super) fn size(&self) -> Option<u64> {
        let Self::File(path) = self else { return None };
        let about = std::fs::metadata(path).ok()?;
        about.is_file().then_some(about.len())
    }

    pub(super) fn open(&self, what: As, currency: &str) -> Result<AnyReader, Failure> {
        let from: Box<dyn Read + Send> = match self {
            Self::File(path) => Box::new(File::open(path).map_err(|error| self.failed(&error.into()))?),
            Self::Stdin => Box::new(std::io::stdin()),
        };
        Reader::new(from, what, currency).map_err(|error| self.failed(&error))
    }

    /// Why it cannot be read.
    pub(super) fn failed(&self, error: &Unreadable) -> Failure {
        let failure = Failure::new(Exit::Failed, format_args!("{}: {error}", self.name()));
        match error {
            Unreadable::Header(no) => match &no.near {
                Some(near) => failure.hint(format_args!("near: {near}")),
                None => failure,
            },
            _ => failure,
        }
    }
}

/// The next lines, at most what one message holds. Does not wait for more while there are some.
pub(super) fn next_chunk<R: Read>(reader: &mut Reader<R>, most: u64) -> std::io::Result<Chunk> {
    let mut items = Vec::new();
    let mut size = 0;
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(BATCH_EVENTS);
    while items.len() < most && size < BATCH_BYTES - super::limits::LINE_BYTES {
        let Some(item) = reader.next()? else { break };
        size += item.became.as_ref().map_or(0, |ready| ready.event.len());
        items.push(item);
        if reader.is_drained() {
            break;
        }
    }
    Ok(Chunk { items, bytes: reader.bytes() })
}

/// Looks through a whole file for its times.
pub(super) fn look_through(mut reader: AnyReader, most: u64) -> std::io::Result<Option<Times>> {
    let mut left = most;
    let mut times: Option<Times> = None;
    loop {
        let chunk = next_chunk(&mut reader, left)?;
        if chunk.items.is_empty() {
            return Ok(times);
        }
        left -= chunk.items.len() as u64;
        let found = Times::of(&chunk.items);
        times = times.map_or(found, |times| Some(times.join(found)));
    }
}

/// Reads on beside the caller, some chunks ahead of it.
pub(super) fn read_ahead(mut reader: AnyReader, most: u64) -> mpsc::Receiver<std::io::Result<Chunk>> {
    let (chunks, receiver) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut left = most;
        loop {
            let chunk = next_chunk(&mut reader, left);
            let count = chunk.as_ref().map_or(0, |chunk| chunk.items.len()) as u64;
            left -= count;
            let is_over = count == 0;
            if is_over && chunk.is_ok() {
                return;
            }
            // What went wrong is passed on. Nobody receives any more: the command is over.
            if chunks.blocking_send(chunk).is_err() || is_over {
                return;
            }
        }
    });
    receiver
}
