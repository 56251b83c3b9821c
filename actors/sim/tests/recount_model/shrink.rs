//! Makes a failing case small: drops runs of records, then single ones, as long as it still fails.

use crate::case::Case;

/// Folds and recounts spent on it.
const TRIES: usize = 600;

pub(crate) fn shrink(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut run = case.records.len() / 2;
    let mut tries = 0;
    while run > 0 {
        let mut at = 0;
        while at < case.records.len() && tries < TRIES {
            let mut smaller = case.clone();
            smaller.records.drain(at..(at + run).min(case.records.len()));
            tries += 1;
            if fails(&smaller) {
                case = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    case
}
