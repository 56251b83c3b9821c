//! The owner against a scripted world: a toy fold, a store and a journal that fail in every way they may, several owners at once.
//! Whatever happened, a fresh owner must recover exactly what a pure fold of the journal gives.

mod protocol;
mod toy;
mod world;

use world::{Failure, World};

use crate::planted::Planted;

fn run(seed: u64, planted: Planted) -> Result<(), Failure> {
    World::new(seed, planted).run()
}

fn all_recover(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(failure) = run(seed, Planted::default()) {
            panic!("seed {seed}: {failure}");
        }
    }
}

#[test]
fn any_recovery_equals_the_pure_fold_of_the_journal() {
    all_recover(0..3_000);
}

#[test]
#[ignore = "takes minutes: run it when the owner's protocol changes"]
fn any_recovery_equals_the_pure_fold_in_many_more_worlds() {
    all_recover(3_000..300_000);
}

#[cfg(feature = "planted")]
mod planted {
    use super::*;
    use crate::planted::Bug;

    /// Seeds within which each planted bug must show.
    const SEEDS: u64 = 2_000;

    fn is_caught(bug: Bug) {
        let caught =
            (0..SEEDS).find_map(|seed| run(seed, Planted::with(bug)).err().map(|failure| (seed, failure)));
        match caught {
            Some((seed, failure)) => println!("{bug:?} at seed {seed}: {failure}"),
            None => panic!("{bug:?} went unnoticed in {SEEDS} seeds"),
        }
    }

    macro_rules! caught {
        ($($name:ident: $bug:ident,)*) => {
            $(#[test] fn $name() { is_caught(Bug::$bug); })*
        };
    }

    caught! {
        a_dropped_fence_is_caught: FenceDropped,
        a_replay_off_by_one_is_caught: ReplayOffByOne,
        a_timeout_taken_as_failed_is_caught: TimeoutTakenAsFailed,
        a_flip_on_the_epoch_alone_is_caught: FlipOnEpochAlone,
        deleting_before_the_commit_is_caught: DeleteBeforeCommit,
        an_ignored_lineage_is_caught: LineageIgnored,
        a_missing_resend_is_caught: NoResend,
        effects_during_replay_are_caught: EffectsDuringReplay,
    }
}
