//! I9: every ring, queue and count of requests under way stays within its named limit.

use souk_model::limits::RING;

use super::Violation;
use crate::node::Incarnation;
use crate::subject;

/// Requests an owner may have under way, all kinds together: reads, a cut, a window of appends.
const IN_FLIGHT: usize = 1_024;

pub fn check(incarnation: &Incarnation) -> Result<(), Violation> {
    let shard = incarnation.shard;
    if incarnation.in_flight > IN_FLIGHT {
        return Err(Violation::new("I9", format!("{shard}: {} requests under way", incarnation.in_flight)));
    }
    let longest = subject::longest_ring(incarnation.owner.fold());
    if longest > RING {
        return Err(Violation::new("I9", format!("{shard}: a ring holds {longest}")));
    }
    Ok(())
}
