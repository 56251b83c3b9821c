//! Fixed work for an instruction counter (callgrind): the same records every time, so that a change of code is the only change.

use clap::ValueEnum;
use souk_model::owner::fold::Fold;

use crate::answers::Answers;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 2_000;
/// Before the counted ones: every user has been here a few times, every page and product was seen.
const WARM_UP: u64 = 40_000;
const EVENTS: u64 = 20_000;
const BATCH: u64 = 1_000;

/// Which part does its work; each includes those before it, so a part's own cost is a difference. `Series` begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    None,
    Encode,
    Decode,
    Fold,
    Cut,
    Series,
    Query,
}

pub(crate) fn run(part: Part, mix: Mix) -> anyhow::Result<()> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut series = Answers::new();
    for _ in 0..WARM_UP / BATCH {
        for _ in 0..BATCH {
            let user = Keys::Uniform.pick(&mut feed.random, USERS);
            feed.fold_one(mix, user)?;
        }
        let tallies = feed.tallies();
        if part >= Part::Series {
            series.receive(&tallies);
        }
    }
    if part >= Part::Series {
        return if part == Part::Query { series.ask(EVENTS) } else { Ok(()) };
    }
    commit(&mut feed);
    if part == Part::None {
        return Ok(());
    }
    for _ in 0..EVENTS / BATCH {
        let users: Vec<u64> = (0..BATCH).map(|_| Keys::Uniform.pick(&mut feed.random, USERS)).collect();
        let entries: Vec<_> = users.into_iter().map(|user| feed.encoded(mix, user)).collect();
        if part == Part::Encode {
            continue;
        }
        let batch: Vec<_> = entries.iter().map(crate::world::decoded).collect();
        if part == Part::Decode {
            continue;
        }
        feed.fold(&batch)?;
    }
    if part == Part::Cut {
        commit(&mut feed);
    }
    Ok(())
}

fn commit(feed: &mut Feed) {
    feed.shard.freeze();
    while feed.shard.cut_slice().is_none() {}
    feed.shard.cut_committed();
}
