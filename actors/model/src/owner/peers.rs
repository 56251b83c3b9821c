//! Messages to the owners of other shards: what the fold has due, on a period of the shell's clock. They may be lost.

use crate::limits::PEER_MESSAGES;
use crate::owner::effect::{CrashPoint, Effect};
use crate::owner::{Core, Fold};
use crate::time::{Millis, SECOND};

const PERIOD: Millis = 250;
/// While somebody watches: soon enough for an eye, seldom enough for what changes a thousand times a second to leave once. And for what
/// one round of messages left behind: after a burst nothing lags for longer than its changes take to be sent.
const PERIOD_WATCHED: Millis = 8;
/// While a backlog is drained what is sent is soon replaced.
const PERIOD_IN_BACKLOG: Millis = SECOND;
/// More entries than this to go is a backlog.
const BACKLOG: u64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Peers {
    next_at: Millis,
    /// The last round left some behind.
    more: bool,
}

impl Peers {
    /// Sends what is due; the first time at once.
    pub(super) fn poll<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        epoch: u64,
        behind: u64,
        out: &mut Vec<Effect>,
    ) {
        let now = core.clock.now();
        if core.watched && behind <= BACKLOG {
            // Nobody watched when the time was set.
            self.next_at = self.next_at.min(now + PERIOD_WATCHED);
        }
        if now < self.next_at {
            return;
        }
        let messages = core.fold.peer_messages(epoch, PEER_MESSAGES);
        self.more = core.fold.has_more_for_peers();
        self.next_at = now
            + match () {
                () if behind > BACKLOG => PERIOD_IN_BACKLOG,
                () if core.watched || self.more => PERIOD_WATCHED,
                () => PERIOD,
            };
        if messages.is_empty() {
            return;
        }
        out.extend(messages.into_iter().map(|(to, message)| Effect::Send { to, message }));
        out.push(Effect::Passed(CrashPoint::TallySent));
    }

    /// When to look again: while somebody watches or something was left behind, as soon as it may leave.
    pub(super) fn wake<F: Fold>(&self, core: &Core<F>) -> Millis {
        if self.more || (core.watched && core.fold.owes_peers()) { self.next_at } else { Millis::MAX }
    }
}
