//! Makes a failing case small: drops runs of records, then single ones, as long as it still fails.

use prost::Message as _;
use souk_proto::journal::v1::Record;
use souk_proto::journal::v1::record::Body;

use crate::case::{Case, Placed};

/// Folds and recounts spent on it.
const TRIES: usize = 600;

pub(crate) fn shrink(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    let mut run = case.records.len() / 2;
    let mut tries = 0;
    while run > 0 {
        let mut at = 0;
        while at < case.records.len() && tries < TRIES {
            let mut smaller = case.clone();
            let mut place = 0;
            smaller.records.retain(|placed| {
                place += 1;
                !(at < place && place <= at + run) || is_settings(placed)
            });
            tries += 1;
            if smaller.records.len() < case.records.len() && fails(&smaller) {
                case = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    case
}

/// Settings stay: all shards get the same.
fn is_settings(placed: &Placed) -> bool {
    matches!(Record::decode(placed.bytes.as_slice()), Ok(Record { body: Some(Body::Settings(_)) }))
}
