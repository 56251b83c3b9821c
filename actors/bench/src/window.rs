//! A sliding window by a fine step against a coarse one: the cost of an event must not grow with the overlap.

use std::time::Duration;

use crate::clock::Watch;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 20_000;
const BATCH: usize = 256;
const ROUNDS: usize = 400;
/// Pairs measured, alternating which comes first.
const PAIRS: usize = 5;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    for pair in 0..PAIRS {
        let (coarse, fine) = if pair % 2 == 0 {
            let coarse = measure("5m/1m")?;
            (coarse, measure("5m/1s")?)
        } else {
            let fine = measure("5m/1s")?;
            (measure("5m/1m")?, fine)
        };
        ratios.push(fine.as_secs_f64() / coarse.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    println!("window, 5 min by 1 s over 5 min by 1 min, per event (bar 1.20)");
    println!(
        "  median {:.2}  min {:.2}  max {:.2}  of {PAIRS} pairs",
        ratios[PAIRS / 2],
        ratios[0],
        ratios[PAIRS - 1]
    );
    Ok(())
}

/// Time to fold with one more metric: count, sum and distinct users over the window.
fn measure(window: &str) -> anyhow::Result<Duration> {
    let metric = format!(
        "[metric.overlap]\nfrom = \"page_view\"\nwindows = [\"{window}\"]\n\
         measures = {{ views = {{ count = true }}, users = {{ distinct = \"user\" }} }}\n"
    );
    let mut feed = Feed::new(settings_text(&metric)?)?;
    let mut folding = Duration::ZERO;
    for round in 0..ROUNDS + 80 {
        let batch: Vec<_> = (0..BATCH)
            .map(|_| {
                let user = Keys::Uniform.pick(&mut feed.random, USERS);
                feed.decoded(Mix::PageViews, user)
            })
            .collect();
        let start = Watch::thread();
        feed.fold(&batch)?;
        if round >= 80 {
            folding += start.elapsed();
        }
        feed.tallies();
    }
    Ok(folding)
}
