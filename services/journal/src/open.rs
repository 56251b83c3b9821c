//! Opens a directory: makes it if it is new, else recovers what is in it, and raises its incarnation.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use souk_model::time::Millis;
use souk_runtime::ports::Clock;

use crate::disk::Disk;
use crate::log::{Log, write_header};
use crate::meta::{self, Meta};
use crate::recover::{Recovered, Recovery, first_frames};
use crate::segment::{self, Header};
use crate::visible::Visible;
use crate::{Error, Options};

/// Both sides of an open log.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Log,
    pub(crate) visible: Arc<Visible>,
    pub(crate) meta: Meta,
}

pub(crate) fn open(disk: Arc<dyn Disk>, options: Options, clock: Arc<dyn Clock>) -> Result<Opened, Error> {
    options.check()?;
    let mut meta = match Meta::load(&*disk, &options)? {
        Some(meta) => meta,
        None => make(&*disk, &options)?,
    };
    let recovery = Recovery {
        disk: &*disk,
        dir: &options.dir,
        meta: &meta,
        block_bytes: options.block_bytes(),
        check: options.check,
    };
    let recovered = recovery.run()?;
    meta.incarnation += 1;
    meta.synced = recovered.number;
    // Syncs the directory too: from here on its names are as recovery left them.
    meta.store(&*disk).map_err(failed("write", options.dir.join(meta::FILE)))?;
    let Recovered { segments, ends, .. } = &recovered;
    let visible = Arc::new(Visible::new(
        Arc::clone(&disk),
        options.dir.clone(),
        meta.layout,
        meta.topic_id,
        ends,
        segments.clone(),
    ));
    let log = Log::new(disk, clock, Arc::clone(&visible), meta.clone(), recovered, options);
    Ok(Opened { log, visible, meta })
}

/// A new journal: an empty first segment, then the meta file that makes it one.
fn make(disk: &dyn Disk, options: &Options) -> Result<Meta, Error> {
    let meta = Meta::new(options);
    let header =
        Header { first_frame: 1, incarnation: 1, append_time: Millis::MIN, ends: vec![0; meta.layout.len()] };
    let begun = first_frames(disk).and_then(|frames| match frames[..] {
        [] => Ok(true),
        // The process ended while it made the directory.
        [1] => Ok(disk.open(&segment::name(1))?.len()? <= Header::bytes_of(meta.layout.len()) as u64),
        _ => Ok(false),
    });
    if !begun.map_err(failed("read", options.dir.clone()))? {
        let why = "it is not there, but segments of a journal are";
        return Err(Error::Meta { file: options.dir.join(meta::FILE), why });
    }
    let first = write_header(disk, meta.topic_id, &header).and_then(|file| file.sync());
    let made = first.and_then(|()| disk.sync_dir()).and_then(|()| meta.store(disk));
    made.map_err(failed("make a journal in", options.dir.clone()))?;
    Ok(meta)
}

fn failed(doing: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { doing, path, source }
}
