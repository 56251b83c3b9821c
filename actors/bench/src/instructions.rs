//! Fixed work for an instruction counter (callgrind): the same records every time, so that a change of code is the only change.

use clap::ValueEnum;
use souk_model::owner::fold::Fold;

use crate::answers::Answers;
use crate::owner::Carried;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 2_000;
/// Before the counted ones: every user has been here a few times, every page and product was seen.
const WARM_UP: u64 = 40_000;
const EVENTS: u64 = 20_000;
const BATCH: u64 = 500;
/// Batches after which tallies leave: every 250 ms of virtual time.
const BATCHES_PER_DRAIN: u64 = 5;

/// Which part does its work; each up to `Cut` includes those before it, so a part's own cost is a difference. From `Series` on a
/// products shard has heard the warm-up: `Tally` and `Join` are measured against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    None,
    Encode,
    Decode,
    Fold,
    Cut,
    Series,
    Query,
    /// The fold, and tallies leave.
    Tally,
    /// And are joined.
    Join,
    /// Encoded entries as `Owner` takes them.
    Entries,
    /// A shard carried by its owner, from encoded entries to tallies on their way.
    Owner,
}

pub(crate) fn run(part: Part, mix: Mix) -> anyhow::Result<()> {
    if part >= Part::Entries {
        return carry(part, mix);
    }
    let mut feed = Feed::new(settings_text("")?)?;
    let mut series = Answers::new();
    for batch in 1..=WARM_UP / BATCH {
        for _ in 0..BATCH {
            let user = Keys::Uniform.pick(&mut feed.random, USERS);
            feed.fold_one(mix, user)?;
        }
        if batch.is_multiple_of(BATCHES_PER_DRAIN) {
            let tallies = feed.tallies();
            if part >= Part::Series {
                series.receive(&tallies);
            }
        }
    }
    commit(&mut feed);
    match part {
        Part::None | Part::Series => Ok(()),
        Part::Query => series.ask(EVENTS),
        _ => work(part, mix, &mut feed, &mut series),
    }
}

fn work(part: Part, mix: Mix, feed: &mut Feed, series: &mut Answers) -> anyhow::Result<()> {
    for batch in 1..=EVENTS / BATCH {
        let users: Vec<u64> = (0..BATCH).map(|_| Keys::Uniform.pick(&mut feed.random, USERS)).collect();
        let entries: Vec<_> = users.into_iter().map(|user| feed.encoded(mix, user)).collect();
        if part == Part::Encode {
            continue;
        }
        let decoded: Vec<_> = entries.iter().map(crate::world::decoded).collect();
        if part == Part::Decode {
            continue;
        }
        feed.fold(&decoded)?;
        if part >= Part::Tally && batch.is_multiple_of(BATCHES_PER_DRAIN) {
            let tallies = feed.tallies();
            if part == Part::Join {
                series.hear(tallies);
            }
        }
    }
    if part == Part::Cut {
        commit(feed);
    }
    Ok(())
}

/// From the first event on, in an owner's hands.
fn carry(part: Part, mix: Mix) -> anyhow::Result<()> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut carried = Carried::new()?;
    for _ in 0..(WARM_UP + EVENTS) / BATCH {
        let users: Vec<u64> = (0..BATCH).map(|_| Keys::Uniform.pick(&mut feed.random, USERS)).collect();
        let entries = users.into_iter().map(|user| feed.encoded(mix, user)).collect();
        if part == Part::Owner {
            carried.take(entries)?;
        }
    }
    Ok(())
}

fn commit(feed: &mut Feed) {
    feed.shard.freeze();
    while feed.shard.cut_slice().is_none() {}
    feed.shard.cut_committed();
}
