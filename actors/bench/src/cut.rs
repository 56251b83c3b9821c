//! A cut of a million dirty users: the longest slice, and that folding goes on between slices.

use std::time::Duration;

use souk_model::owner::fold::Fold;

use crate::clock::Watch;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 1_000_000;

pub(crate) fn run(runs: u32) -> anyhow::Result<()> {
    let mut feed = Feed::new(settings_text("")?)?;
    let mut slices = Slices::default();
    let mut total = Duration::ZERO;
    let mut bytes = 0;
    for _ in 0..runs {
        for user in 0..USERS {
            feed.fold_one(Mix::PageViews, user)?;
        }
        feed.tallies();
        let begun = Watch::thread();
        feed.shard.freeze();
        slices.push("freeze", begun.elapsed());
        loop {
            let start = Watch::thread();
            let drafts = feed.shard.cut_slice();
            slices.push(if drafts.is_some() { "last" } else { "encode or compress" }, start.elapsed());
            if let Some(drafts) = drafts {
                bytes = drafts.iter().map(|draft| draft.blob.len()).sum::<usize>();
                break;
            }
            let user = feed.random.below(USERS);
            feed.fold_one(Mix::PageViews, user)?;
        }
        let start = Watch::thread();
        feed.shard.cut_committed();
        slices.push("committed", start.elapsed());
        total += begun.elapsed();
    }
    println!(
        "cut of {USERS} dirty users, {runs} runs, an event folded after every slice (bar: no slice over 1 ms, 2 ms at the worst)"
    );
    slices.print(total / runs);
    println!("  {:.0} bytes a user stored", bytes as f64 / USERS as f64);
    Ok(())
}

/// How long each slice took, and what it was.
#[derive(Debug, Default)]
pub(crate) struct Slices(Vec<(Duration, &'static str)>);

impl Slices {
    /// For runs that do the same, slice by slice: the slice that was longest in the run it was shortest in. What was longer waited for
    /// the machine.
    pub(crate) fn steady_worst(&self, runs: usize) -> Duration {
        let each = self.0.len() / runs.max(1);
        let best = |slice: usize| (0..runs).map(|run| self.0[run * each + slice].0).min();
        (0..each).filter_map(best).max().unwrap_or_default()
    }

    pub(crate) fn push(&mut self, what: &'static str, took: Duration) {
        self.0.push((took, what));
    }

    pub(crate) fn print(mut self, whole: Duration) {
        self.0.sort_unstable();
        let millis = |took: Duration| took.as_secs_f64() * 1e3;
        let at = |share: f64| millis(self.0[((self.0.len() - 1) as f64 * share) as usize].0);
        let [half, most, nearly_all] = [0.5, 0.99, 0.9999].map(at);
        println!(
            "  {} slices: p50 {half:.3} ms  p99 {most:.3} ms  p99.99 {nearly_all:.3} ms  worst {:.3} ms; whole {:.0} ms",
            self.0.len(),
            at(1.0),
            millis(whole)
        );
        let long = self.0.iter().filter(|(took, _)| *took > Duration::from_millis(1)).count();
        let worst = self.0.iter().rev().take(5).map(|(took, what)| format!("{:.3} ms {what}", millis(*took)));
        println!("  {long} over 1 ms; the longest: {}", worst.collect::<Vec<_>>().join(", "));
    }
}
