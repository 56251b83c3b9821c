//! The journey's run of bytes against a list of steps.

use std::collections::VecDeque;

use proptest::prelude::*;

use crate::codec::{Reader, Writer};
use crate::limits::{DIMENSION_BYTES, JOURNEY_STEPS};
use crate::time::Millis;
use crate::user::journey::{Journey, Step};
use crate::user::kind::Kind;

const KINDS: [Kind; 3] = [Kind::PageView, Kind::CartStep, Kind::Search];

fn steps(journey: &Journey) -> Vec<(Millis, Kind, String)> {
    journey.steps().map(|step| (step.time, step.kind, step.target.to_owned())).collect()
}

proptest! {
    #[test]
    fn a_journey_is_its_newest_steps(ops in prop::collection::vec((0..12_usize, 0..4_usize, -3..50_i64), 0..300)) {
        let targets = ["", "a", "product-1", &"long".repeat(DIMENSION_BYTES)];
        let (mut journey, mut time) = (Journey::default(), 0);
        let mut model: VecDeque<(Millis, Kind, String)> = VecDeque::new();
        for (op, target, passed) in ops {
            time += passed;
            if op == 0 {
                journey.forget_before(time - 100);
                while model.front().is_some_and(|(at, ..)| *at < time - 100) {
                    model.pop_front();
                }
            } else {
                let (kind, target) = (KINDS[op % 3], targets[target]);
                journey.push(Step { time, kind, target });
                model.push_back((time, kind, target[..target.len().min(DIMENSION_BYTES)].to_owned()));
                if model.len() > JOURNEY_STEPS {
                    model.pop_front();
                }
            }
            prop_assert_eq!(steps(&journey), Vec::from(model.clone()));
            let newest = journey.before(time, Millis::MAX).map(|step| (step.time, step.kind, step.target.to_owned()));
            prop_assert_eq!(newest.as_ref(), model.back());
        }
        let mut bytes = Vec::new();
        journey.encode(&mut Writer::new(&mut bytes));
        let back = Journey::decode(&mut Reader::new(&bytes)).expect("its own encoding");
        prop_assert_eq!(steps(&back), steps(&journey));
    }
}
