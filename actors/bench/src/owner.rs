//! A users shard carried by its owner, as it ships: entries come in encoded, some thousands at a time, and everything an owner does
//! between reading and sending is in the figure. The shell around it does nothing but answer.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::bail;
use souk_model::journal::Entry;
use souk_model::owner::{CasOutcome, Effect, Ends, Entries, Input, Owner, OwnerConfig, Tag, WriteOutcome};
use souk_model::planted::Planted;
use souk_model::shard::{FOLD_VERSION, Shard};

use crate::clock::Watch;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text, users_shard};

/// As the runtime has them fold.
const SLICES_PER_HANDLE: usize = 48;
/// Entries of one read.
const READ: usize = 4_096;
const READS: usize = 64;

/// An owner, what it asked for last, and the time it was told.
pub(crate) struct Carried {
    owner: Owner<Shard>,
    effects: Vec<Effect>,
    inputs: VecDeque<Input>,
    reading: Option<Tag>,
    now: i64,
}

impl Carried {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let config = OwnerConfig {
            owner: "bench".into(),
            address: String::new(),
            newest_fold_version: FOLD_VERSION,
            slices_per_handle: SLICES_PER_HANDLE,
            planted: Planted::default(),
        };
        let owner = Owner::new(config, users_shard(settings_text("")?)?);
        let inputs = VecDeque::from([Input::Start { now: 1 }]);
        let mut carried = Self { owner, effects: Vec::new(), inputs, reading: None, now: 1 };
        carried.run()?;
        Ok(carried)
    }

    /// Has it read entries and do everything that follows from them.
    pub(crate) fn take(&mut self, entries: Vec<Entry>) -> anyhow::Result<()> {
        let Some(end) = entries.last().map(|entry| entry.offset) else { return Ok(()) };
        while self.reading.is_none() {
            self.now += 1;
            self.inputs.push_back(Input::Woken { now: self.now });
            self.run()?;
        }
        self.now += 250;
        self.owner.see(self.now);
        let tag = self.reading.take().unwrap_or(Tag(0));
        self.inputs.push_back(Input::Entries { tag, result: Ok(Entries { entries, end }) });
        self.run()
    }

    fn run(&mut self) -> anyhow::Result<()> {
        while let Some(input) = self.inputs.pop_front() {
            self.owner.handle(input, &mut self.effects);
            for effect in self.effects.drain(..) {
                let answer = match effect {
                    Effect::ReadManifest { tag } => Input::Manifest { tag, result: Ok(None) },
                    Effect::WriteManifest { tag, .. } => Input::Flipped { tag, outcome: CasOutcome::Applied },
                    Effect::WriteSegments { tag, .. } => {
                        Input::SegmentsWritten { tag, outcome: WriteOutcome::Written }
                    }
                    Effect::LoadSections { tag, .. } => Input::Sections { tag, result: Ok(Vec::new()) },
                    Effect::ReadEnds { tag } => {
                        let ends = Ends { topic_id: 1, partitions: 1, start: 1, end: 0, origin: None };
                        Input::Ends { tag, result: Ok(ends) }
                    }
                    Effect::ReadEntries { tag, .. } => {
                        self.reading = Some(tag);
                        continue;
                    }
                    Effect::WakeAt { at } if at <= self.now => Input::Woken { now: self.now },
                    Effect::Stop(reason) => bail!("the owner stopped: {reason}"),
                    _ => continue,
                };
                self.inputs.push_back(answer);
            }
        }
        Ok(())
    }
}

pub(crate) fn run(users: &[u64]) -> anyhow::Result<()> {
    println!("owner, ns per event, decoding and sending included; reads of {READ} entries");
    for &users in users {
        for (name, mix) in [("page views", Mix::PageViews), ("shop mix", Mix::Shop)] {
            let mut feed = Feed::new(settings_text("")?)?;
            let mut carried = Carried::new()?;
            for first in (0..users).step_by(READ) {
                let each = first..users.min(first + READ as u64);
                carried.take(each.map(|user| feed.encoded(mix, user)).collect())?;
            }
            let mut taken = Duration::ZERO;
            for _ in 0..READS {
                let picked: Vec<u64> =
                    (0..READ).map(|_| Keys::Uniform.pick(&mut feed.random, users)).collect();
                let entries = picked.into_iter().map(|user| feed.encoded(mix, user)).collect();
                let start = Watch::thread();
                carried.take(entries)?;
                taken += start.elapsed();
            }
            let events = (READ * READS) as f64;
            println!("  {users:>9} users, {name:<10} {:>6.0}", taken.as_nanos() as f64 / events);
        }
    }
    Ok(())
}
