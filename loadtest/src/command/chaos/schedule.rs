//! What goes wrong in a round, drawn from the seed: up to three of the nodes and servers, never all nodes, each in one way and at a
//! moment of its own.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::souk::services::Server;

/// Faults of a round begin within this time.
const WITHIN: Duration = Duration::from_secs(5);
/// How long something that was killed stays away.
const AWAY: RangeInclusive<u64> = 0..=4_000;
/// Things that go wrong in a round at the most.
const MOST: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Node(usize),
    Server(Server),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ended at once.
    Killed,
    /// It stands still, and goes on later as if nothing had been.
    Paused,
    /// Asked to leave.
    Drained,
    /// It runs, and nothing comes through to it but its callers.
    CutOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) target: Target,
    pub(super) kind: Kind,
    pub(super) at: Duration,
    /// How long it lasts.
    pub(super) lasts: Duration,
}

/// What can go wrong here.
#[derive(Debug, Clone)]
pub(super) struct Menu {
    pub(super) nodes: usize,
    pub(super) servers: Vec<Server>,
    /// Seconds somebody stands still or is cut off.
    pub(super) pause: RangeInclusive<u64>,
    /// Whether the machine lets packets be dropped.
    pub(super) cut_off: bool,
}

impl Menu {
    /// The faults of the next round, by when they begin.
    pub(super) fn draw(&self, rng: &mut StdRng) -> Vec<Fault> {
        let mut targets: Vec<Target> = (0..self.nodes).map(Target::Node).collect();
        targets.extend(self.servers.iter().copied().map(Target::Server));
        targets.shuffle(rng);
        targets.truncate(rng.random_range(1..=MOST));
        if targets.iter().filter(|target| matches!(target, Target::Node(_))).count() == self.nodes {
            targets.pop();
        }
        let mut faults: Vec<Fault> = targets.into_iter().map(|target| self.fault(target, rng)).collect();
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    fn fault(&self, target: Target, rng: &mut StdRng) -> Fault {
        let kind = match (target, rng.random_range(0..10)) {
            (Target::Server(_), 0..5) | (Target::Node(_), 0..4) => Kind::Killed,
            (Target::Node(_), 7) => Kind::Drained,
            (Target::Node(_), 8..) if self.cut_off => Kind::CutOff,
            _ => Kind::Paused,
        };
        let lasts = match kind {
            Kind::Killed | Kind::Drained => rng.random_range(AWAY),
            Kind::Paused | Kind::CutOff => {
                rng.random_range(*self.pause.start() * 1_000..=*self.pause.end() * 1_000)
            }
        };
        let at = WITHIN.mul_f64(rng.random());
        Fault { target, kind, at, lasts: Duration::from_millis(lasts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn menu() -> Menu {
        Menu { nodes: 3, servers: vec![Server::Kafka, Server::Cassandra], pause: 5..=20, cut_off: true }
    }

    #[test]
    fn the_same_seed_is_the_same_schedule() {
        let rounds = |seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            (0..20).map(|_| menu().draw(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(rounds(7), rounds(7));
        assert_ne!(rounds(7), rounds(8));
    }

    #[test]
    fn every_kind_of_fault_comes_and_never_to_all_nodes_at_once() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut kinds = Vec::new();
        for _ in 0..200 {
            let faults = menu().draw(&mut rng);
            assert!((1..=MOST).contains(&faults.len()));
            assert!(faults.iter().filter(|fault| matches!(fault.target, Target::Node(_))).count() < 3);
            assert!(faults.iter().all(|fault| fault.at <= WITHIN && fault.lasts <= Duration::from_secs(20)));
            kinds.extend(faults.iter().map(|fault| (fault.kind, matches!(fault.target, Target::Node(_)))));
        }
        for kind in [Kind::Killed, Kind::Paused] {
            assert!(kinds.contains(&(kind, true)) && kinds.contains(&(kind, false)), "{kind:?}");
        }
        for kind in [Kind::Drained, Kind::CutOff] {
            assert!(kinds.contains(&(kind, true)) && !kinds.contains(&(kind, false)), "{kind:?}");
        }
    }
}
