//! Cart merges: the user asks a guest for its cart, the guest hands it over and keeps it until it has arrived. SEMANTICS.md section 8.

use souk_proto::journal::v1::{self as journal, step::Action};
use souk_proto::v1::MergePolicy;

use super::cart_state::{decode_lines, encode_lines};
use super::line::Line;
use super::scribe::send;
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::journal::Journal;
use crate::key::ActorKey;
use crate::limits::{CART_LINES, MERGES};
use crate::money::Currency;
use crate::output::Outputs;
use crate::time::{HOUR, MINUTE, Millis};

/// A CartTake older than this gives nothing.
pub(super) const TAKEN_WITHIN: Millis = HOUR;
/// A guest knows a merge for so long after it began: no CartTake that could still give something finds it forgotten.
const MARKED_FOR: Millis = HOUR + 5 * MINUTE;

/// A merge the user waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merge {
    /// Offset of the record that began it.
    pub(super) id: u64,
    pub(super) guest: Box<str>,
    pub(super) policy: MergePolicy,
    /// Log time when it began.
    pub(super) created: Millis,
}

/// A cart the guest handed over; once it has arrived, the mark that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gift {
    pub(super) user: Box<str>,
    pub(super) merge_id: u64,
    pub(super) created: Millis,
    pub(super) arrived: bool,
    pub(super) currency: Option<Currency>,
    pub(super) lines: Vec<Line>,
}

/// Merges of one actor, as a user and as a guest. Each list holds at most [`MERGES`].
#[derive(Debug, Clone, Default)]
pub(super) struct Merges {
    pub(super) asked: Vec<Merge>,
    pub(super) given: Vec<Gift>,
}

impl Merge {
    pub(super) fn ask(&self, key: &ActorKey, out: &mut Outputs) {
        let take = journal::CartTake { user_id: key.id().to_owned(), merge_id: self.id };
        send(out, key, (Journal::Users, &self.guest), self.created, Action::CartTake(take));
    }
}

impl Gift {
    pub(super) fn give(&self, key: &ActorKey, out: &mut Outputs) {
        let lines =
            self.currency.map(|currency| self.lines.iter().map(|line| line.travelling(currency)).collect());
        let given = journal::CartGiven {
            guest_id: key.id().to_owned(),
            merge_id: self.merge_id,
            lines: lines.unwrap_or_default(),
        };
        send(out, key, (Journal::Users, &self.user), self.created, Action::CartGiven(given));
    }

    fn forgotten_at(&self) -> Option<Millis> {
        self.arrived.then(|| self.created.saturating_add(MARKED_FOR + 1))
    }
}

impl Merges {
    pub(super) fn has_room(&self) -> bool {
        self.asked.len() < MERGES
    }

    /// The merge a guest answers: it is over with that.
    pub(super) fn take_asked(&mut self, id: u64, guest: &str) -> Option<Merge> {
        let at = self.asked.iter().position(|merge| merge.id == id && *merge.guest == *guest)?;
        Some(self.asked.remove(at))
    }

    pub(super) fn gift(&mut self, user: &str, merge_id: u64) -> Option<&mut Gift> {
        self.given.iter_mut().find(|gift| gift.merge_id == merge_id && *gift.user == *user)
    }

    pub(super) fn forget(&mut self, log_time: Millis) {
        self.given.retain(|gift| gift.forgotten_at().is_none_or(|at| at > log_time));
    }

    pub(super) fn next_forgotten(&self) -> Option<Millis> {
        self.given.iter().filter_map(Gift::forgotten_at).min()
    }

    pub(super) fn is_open(&self) -> bool {
        !self.asked.is_empty() || self.given.iter().any(|gift| !gift.arrived)
    }

    pub(super) fn send_implied(&self, key: &ActorKey, out: &mut Outputs) {
        for merge in &self.asked {
            merge.ask(key, out);
        }
        for gift in self.given.iter().filter(|gift| !gift.arrived) {
            gift.give(key, out);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.given.is_empty()
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.asked.len());
        for merge in &self.asked {
            w.uint(merge.id);
            w.word(&merge.guest);
            w.byte(merge.policy as u8);
            w.time(merge.created);
        }
        w.count(self.given.len());
        for gift in &self.given {
            w.byte(u8::from(gift.arrived) | u8::from(gift.currency.is_some()) << 1);
            w.word(&gift.user);
            w.uint(gift.merge_id);
            w.time(gift.created);
            if let Some(currency) = gift.currency {
                w.currency(currency);
                w.count(gift.lines.len());
                encode_lines(&gift.lines, w);
            }
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut merges = Self::default();
        for _ in 0..r.count(MERGES)? {
            let (id, guest) = (r.uint()?, r.word()?.into());
            let Ok(policy) = MergePolicy::try_from(i32::from(r.byte()?)) else {
                return Err(damaged("an unknown merge policy"));
            };
            merges.asked.push(Merge { id, guest, policy, created: r.time()? });
        }
        for _ in 0..r.count(MERGES)? {
            let flags = r.byte()?;
            let (user, merge_id, created) = (r.word()?.into(), r.uint()?, r.time()?);
            let (currency, lines) = if flags & 2 != 0 {
                let currency = r.currency()?;
                let count = r.count(CART_LINES)?;
                (Some(currency), decode_lines(count, r)?)
            } else {
                (None, Vec::new())
            };
            merges.given.push(Gift { user, merge_id, created, arrived: flags & 1 != 0, currency, lines });
        }
        Ok(merges)
    }
}
