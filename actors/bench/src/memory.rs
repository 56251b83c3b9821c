//! Bytes per user, as the slope of resident memory from 100 k to 2 M users: one open cart line, 20-byte ids, 8 remembered events.

use crate::world::{Feed, Mix, settings_text};

const FEW: u64 = 100_000;
const MANY: u64 = 2_000_000;
const REMEMBERED: u64 = 8;
/// Hot users are a few hundred bytes each: fewer of them give the same slope.
const MANY_HOT: u64 = 1_000_000;

pub(crate) fn run() -> anyhow::Result<()> {
    println!("memory, bytes per user (floor 256, goal 128 idle)");
    println!("  idle (encoded) {:>6.0}", slope(MANY, true)?);
    println!("  hot (decoded)  {:>6.0}", slope(MANY_HOT, false)?);
    Ok(())
}

fn slope(many: u64, idle: bool) -> anyhow::Result<f64> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut at_few = 0;
    for user in 0..many {
        if user == FEW {
            settle(&mut feed, idle)?;
            at_few = resident()?;
        }
        for _ in 0..REMEMBERED {
            feed.fold_one(Mix::Adds, user)?;
        }
        // As an owner does: cuts as it goes, so that no cut holds everybody.
        if user % FEW == FEW - 1 {
            settle(&mut feed, idle)?;
        }
        if idle && user % 1_000 == 999 {
            feed.shard.passivate(usize::MAX);
        }
    }
    settle(&mut feed, idle)?;
    Ok((resident()? - at_few) as f64 / (many - FEW) as f64)
}

/// Commits a cut, so that nothing is dirty, and has everything idle that shall be.
fn settle(feed: &mut Feed, idle: bool) -> anyhow::Result<()> {
    use souk_model::owner::fold::Fold;
    feed.tallies();
    feed.shard.freeze();
    while feed.shard.cut_slice().is_none() {}
    feed.shard.cut_committed();
    if idle {
        feed.shard.passivate(usize::MAX);
    }
    Ok(())
}

/// Resident bytes of this process.
pub(crate) fn resident() -> anyhow::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split_whitespace().nth(1).unwrap_or("0").parse()?;
    Ok(pages * 4_096)
}
