//! The oracles: what must stay true, watched while the world runs and judged over the final journals. One file per invariant.
//!
//! | id | file | what |
//! |---|---|---|
//! | I1 | `recounted` | metrics, carts, orders and stock equal the recount of the final journals |
//! | I2 | `stock` | received = available + reserved + sold, available ≥ 0, on any live fold at any time |
//! | I3 | `orders` | an order reaches exactly one final state, the same for everyone, and none stays open |
//! | I4 | `verdicts` | every event has one verdict, the same from every owner, and they add up |
//! | I5 | `watched` | a watcher never goes backwards and reaches the last state |
//! | I6 | `appends` | what was acknowledged is in the journal and has its effect once |
//! | I7 | `digests` | any two folds of the same prefix are equal |
//! | I8 | `viewed` | the view never changes an answer while an owner lives, and is never believed unchecked |
//! | I9 | `bounds` | rings, queues and requests under way stay within their limits |

pub mod appends;
pub mod bounds;
pub mod digests;
pub mod finals;
pub mod orders;
pub mod recounted;
pub mod stock;
pub mod verdicts;
pub mod viewed;
pub mod watched;

use std::fmt;

use crate::node::Incarnation;

/// Characters of a line that are shown: enough to know where to look.
const LINE: usize = 300;
/// Differences told of; the rest is a number.
const TOLD: usize = 12;

/// An oracle's objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    /// What is wrong, one line per difference.
    pub lines: Vec<String>,
}

impl Violation {
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, lines: vec![what.into()] }
    }

    /// Several differences found at once.
    pub fn of(invariant: &'static str, differences: impl IntoIterator<Item = String>) -> Self {
        Self { invariant, lines: differences.into_iter().collect() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.invariant)?;
        for line in self.lines.iter().take(TOLD) {
            let shown: String =
                line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LINE).collect();
            write!(f, "\n  {shown}")?;
        }
        match self.lines.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Everything the oracles have seen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub digests: digests::Digests,
    pub verdicts: verdicts::Verdicts,
    pub appends: appends::Appends,
    pub orders: orders::Orders,
    pub views: viewed::Views,
}

impl Ledger {
    /// After every step of an owner.
    pub fn observe(&mut self, incarnation: &mut Incarnation) -> Result<(), Violation> {
        bounds::check(incarnation)?;
        let moved = self.digests.observe(incarnation)?;
        if moved {
            stock::check(incarnation.shard, incarnation.owner.fold())?;
        }
        Ok(())
    }
}
