//! What an actor's presence adds to distinct users: arithmetic over runs of panes, no state.
//!
//! With panes of size g an event in pane p lies in the windows of size `n·g` that end at pane boundaries `p+1 ..= p+n`. An actor counts
//! in the window ending at e when e lies in the union of what its events cover, so an event changes the counts by what it adds to
//! that union. The union is one interval per run of panes, and what one more pane adds to it is at most one interval.

/// What one more pane of an actor, between its nearest ones, adds to the ends of windows of `n` panes: the ends `gain.0 ..= gain.1`.
/// `before` and `after` are the nearest panes the actor was counted in, all by number.
pub fn gain(pane: i64, n: i64, before: Option<i64>, after: Option<i64>) -> Option<(i64, i64)> {
    let first = before.map_or(pane + 1, |before| (before + n + 1).max(pane + 1));
    let last = after.map_or(pane + n, |after| after.min(pane + n));
    (first <= last).then_some((first, last))
}

/// Adds 1 to every end of `gain` in difference counts over blocks of `n` ends: `change(end, difference)`. A gain is at most `n` long, so
/// it spreads over at most two blocks, and the count at an end is a sum within its own block.
pub fn spread((first, last): (i64, i64), n: i64, mut change: impl FnMut(i64, i64)) {
    let mut start = first;
    while start <= last {
        let next_block = (start.div_euclid(n) + 1) * n;
        change(start, 1);
        if last + 1 < next_block {
            change(last + 1, -1);
        }
        start = next_block;
    }
}

/// First end of the block that holds `end`: the count at `end` is the sum of the differences from there to `end`.
pub fn block_start(end: i64, n: i64) -> i64 {
    end.div_euclid(n) * n
}
