//! A disk that does what disks do: loses and tears what was not synced, forgets names, fills up, fails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::sync::Arc;

use parking_lot::Mutex;

use super::rng::Rng;
use crate::disk::{Disk, File};

/// What a power loss keeps or loses as a whole. Smaller than a real disk's: more tears per seed.
const SECTOR: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct SimDisk(Arc<Mutex<State>>);

/// What goes wrong, one time in so many; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) sync_fails: u64,
    pub(super) write_fails: u64,
    pub(super) short_write: u64,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    faults: Faults,
    /// Bytes all files together may have.
    room: u64,
    /// Operations until the machine stops.
    operations_left: Option<u64>,
    has_stopped: bool,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// What happened to names since they were synced.
    unsynced_names: Vec<Naming>,
    files: Vec<Contents>,
}

#[derive(Debug, Clone)]
enum Naming {
    Set(String, usize),
    Gone(String),
    Renamed(String, String, usize),
}

#[derive(Debug, Default)]
struct Contents {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that a sync would write.
    dirty: BTreeSet<usize>,
}

impl SimDisk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            rng: Rng::new(seed),
            faults: Faults::default(),
            room: u64::MAX,
            operations_left: None,
            has_stopped: false,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            files: Vec::new(),
        })))
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    pub(super) fn set_room(&self, room: u64) {
        self.0.lock().room = room;
    }

    pub(super) fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// The machine stops in the middle of an operation, this many from now.
    pub(super) fn stop_after(&self, operations: Option<u64>) {
        self.0.lock().operations_left = operations;
    }

    /// The process is gone; what it wrote is seen by the next.
    pub(super) fn end_process(&self) {
        let mut state = self.0.lock();
        (state.has_stopped, state.operations_left) = (false, None);
    }

    /// The power is gone, and comes back.
    pub(super) fn lose_power(&self) {
        self.end_process();
        let state = &mut *self.0.lock();
        let mut names = std::mem::take(&mut state.durable_names);
        for naming in std::mem::take(&mut state.unsynced_names) {
            if state.rng.one_in(2) {
                naming.apply(&mut names);
            }
        }
        (state.names, state.durable_names) = (names.clone(), names);
        for file in &mut state.files {
            file.lose_power(&mut state.rng);
        }
    }

    /// Changes one bit, for good.
    pub(super) fn flip(&self, name: &str, byte: usize, bit: u8) {
        let state = &mut *self.0.lock();
        let file = &mut state.files[state.names[name]];
        file.seen[byte] ^= 1 << bit;
        file.durable.clone_from(&file.seen);
    }

    pub(super) fn contents(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock();
        state.files[state.names[name]].seen.clone()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().names.keys().cloned().collect()
    }

    /// Puts a file there, for good.
    pub(super) fn put(&self, name: &str, contents: Vec<u8>) {
        let state = &mut *self.0.lock();
        state.files.push(Contents { seen: contents.clone(), durable: contents, dirty: BTreeSet::new() });
        let file = state.files.len() - 1;
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    /// Takes a file away, for good.
    pub(super) fn lose(&self, name: &str) {
        let state = &mut *self.0.lock();
        state.names.remove(name);
        state.durable_names.remove(name);
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].seen.len() as u64).sum()
    }

    /// One operation more. Fails where the machine has stopped; tells whether it stops in this one.
    fn step(&mut self) -> io::Result<bool> {
        if self.has_stopped {
            return Err(io::Error::other("the machine has stopped"));
        }
        let Some(left) = &mut self.operations_left else { return Ok(false) };
        self.has_stopped = *left == 0;
        *left = left.saturating_sub(1);
        Ok(self.has_stopped)
    }

    /// As [`State::step`], for what happens or does not.
    fn step_whole(&mut self) -> io::Result<()> {
        match self.step()? {
            true => Err(io::Error::other("the machine stops")),
            false => Ok(()),
        }
    }

    fn strikes(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.rng.one_in(one_in)
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.unsynced_names.push(naming);
    }

    fn found(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Set(name, file) => drop(names.insert(name.clone(), *file)),
            Self::Gone(name) => drop(names.remove(name)),
            Self::Renamed(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

impl Contents {
    fn touch(&mut self, from: usize, to: usize) {
        self.dirty.extend(from / SECTOR..to.div_ceil(SECTOR));
    }

    fn write(&mut self, bytes: &[u8], at: usize) {
        let end = at + bytes.len();
        if self.seen.len() < end {
            self.touch(self.seen.len(), end);
            self.seen.resize(end, 0);
        }
        self.seen[at..end].copy_from_slice(bytes);
        self.touch(at, end);
    }

    fn truncate(&mut self, len: usize) {
        if len < self.seen.len() {
            self.touch(len, self.seen.len());
            self.seen.truncate(len);
        }
    }

    /// Sectors reach the disk.
    fn write_back(&mut self, sectors: impl Iterator<Item = usize>) {
        for sector in sectors {
            let from = sector * SECTOR;
            let to = (from + SECTOR).min(self.seen.len()).min(self.durable.len());
            if from < to {
                self.durable[from..to].copy_from_slice(&self.seen[from..to]);
            }
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.seen.len(), 0);
        let dirty = std::mem::take(&mut self.dirty);
        self.write_back(dirty.into_iter());
    }

    /// Some of it reached the disk, and the system thinks that all of it has.
    fn fail_to_sync(&mut self, rng: &mut Rng) {
        let dirty = std::mem::take(&mut self.dirty);
        if rng.one_in(2) {
            self.durable.resize(self.seen.len(), 0);
        }
        let kept: Vec<_> = dirty.into_iter().filter(|_| rng.one_in(2)).collect();
        self.write_back(kept.into_iter());
    }

    fn lose_power(&mut self, rng: &mut Rng) {
        if !self.dirty.is_empty() {
            let (low, high) =
                (self.seen.len().min(self.durable.len()), self.seen.len().max(self.durable.len()));
            let len = [low, high, low + rng.below((high - low + 1) as u64) as usize][rng.below(3) as usize];
            self.durable.resize(len, 0);
            let kept: Vec<_> = self.dirty.iter().copied().filter(|_| rng.one_in(2)).collect();
            self.write_back(kept.into_iter());
            self.dirty.clear();
        }
        self.seen.clone_from(&self.durable);
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.0.lock();
        state.step_whole()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        state.step_whole()?;
        let file = match state.names.get(name).copied() {
            Some(file) => {
                state.files[file].truncate(0);
                file
            }
            None => {
                state.files.push(Contents::default());
                let file = state.files.len() - 1;
                state.name(Naming::Set(name.to_owned(), file));
                file
            }
        };
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        state.step_whole()?;
        let file = state.found(name)?;
        Ok(Arc::new(SimFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.step_whole()?;
        let file = state.found(from)?;
        state.name(Naming::Renamed(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.step_whole()?;
        state.found(name)?;
        state.name(Naming::Gone(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.step_whole()?;
        let one_in = state.faults.sync_fails;
        if state.strikes(one_in) {
            return Err(io::Error::other("input/output error"));
        }
        state.durable_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.0.lock();
        state.step_whole()?;
        Ok(state.files[self.file].seen.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.disk.0.lock();
        state.step_whole()?;
        let seen = &state.files[self.file].seen;
        let from = (at as usize).min(seen.len());
        let len = into.len().min(seen.len() - from);
        into[..len].copy_from_slice(&seen[from..from + len]);
        Ok(len)
    }

    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        let state = &mut *self.disk.0.lock();
        let stops = state.step()?;
        let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        let fails = state.faults.write_fails;
        let fails = state.strikes(fails);
        if stops || fails {
            bytes.truncate(state.rng.below(bytes.len() as u64 + 1) as usize);
            state.files[self.file].write(&bytes, at as usize);
            return Err(io::Error::other("input/output error"));
        }
        let short = state.faults.short_write;
        if state.strikes(short) {
            bytes.truncate(1 + state.rng.below(bytes.len() as u64) as usize);
        }
        let grows = (at + bytes.len() as u64).saturating_sub(state.files[self.file].seen.len() as u64);
        let left = state.room.saturating_sub(state.used());
        if grows > left {
            bytes.truncate(bytes.len() - (grows - left) as usize);
            if bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        state.files[self.file].write(&bytes, at as usize);
        Ok(bytes.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.step_whole()?;
        state.files[self.file].truncate(len as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let state = &mut *self.disk.0.lock();
        let stops = state.step()?;
        let fails = state.faults.sync_fails;
        if stops || state.strikes(fails) {
            if !stops || state.rng.one_in(2) {
                state.files[self.file].fail_to_sync(&mut state.rng);
            }
            return Err(io::Error::other("input/output error"));
        }
        state.files[self.file].sync();
        Ok(())
    }

    fn forget(&self) {}
}
