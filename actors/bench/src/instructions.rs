//! Fixed work for an instruction counter (callgrind): the same records every time, so that a change of code is the only change.

use clap::ValueEnum;
use souk_model::owner::fold::Fold;
use souk_model::shard::Decoded;

use crate::world::{Feed, Mix, START, entry, event, settings_text};

const USERS: u64 = 2_000;
const EVENTS: u64 = 20_000;

/// Which part does its work; each includes those before it, so a part's own cost is a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    None,
    Decode,
    Fold,
    Cut,
}

pub(crate) fn run(part: Part) -> anyhow::Result<()> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut random = crate::random::Random::new(11);
    let entries: Vec<_> = (1..=EVENTS)
        .map(|n| {
            let time = START + n as i64;
            let user = random.below(USERS);
            entry(&event(&mut random, Mix::Shop, user, n, time), n, time)
        })
        .collect();
    if part == Part::None {
        return Ok(());
    }
    let batch: Vec<_> = entries.iter().map(|entry| (entry.into(), Decoded::of(entry))).collect();
    if part == Part::Decode {
        return Ok(());
    }
    feed.fold(&batch)?;
    if part == Part::Fold {
        return Ok(());
    }
    feed.shard.freeze();
    while feed.shard.cut_slice().is_none() {}
    Ok(())
}
