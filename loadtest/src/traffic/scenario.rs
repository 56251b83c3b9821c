//! A scenario: how many people and products there are, and what shares of visits and events do what.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub users: usize,
    pub guests: f64,
    pub products: usize,
    pub categories: usize,
    pub popularity: f64,
    pub at_once: usize,
    pub funnel: Funnel,
    pub share: Share,
}

/// Shares of visits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    pub cart: f64,
    pub order: f64,
    pub second_look: f64,
    pub refund: f64,
    pub cancel: f64,
}

/// Shares of events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub trips: f64,
    pub transactions: f64,
    pub duplicates: f64,
    pub late: f64,
    pub past: f64,
    pub malformed: f64,
}

const BUILT_IN: &str = include_str!("../../scenarios/shop.toml");

impl Scenario {
    /// The file's, or the built-in shop.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let text = match file {
            Some(file) => {
                &std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
            }
            None => BUILT_IN,
        };
        Self::parse(text)
    }

    fn parse(text: &str) -> Result<Self> {
        let scenario: Self = toml::from_str(text).context("reading the scenario")?;
        let Self { users, products, categories, at_once, .. } = scenario;
        ensure!(
            users > 0 && products > 0 && categories > 0 && at_once > 0,
            "nobody, or nothing, to make traffic of"
        );
        let share = &scenario.share;
        let all =
            share.trips + share.transactions + share.duplicates + share.late + share.past + share.malformed;
        ensure!(all < 1.0, "the shares of events leave nothing for visits");
        Ok(scenario)
    }

    /// Nothing but visits, trips and transactions that count: what makes the most of a message when only speed is asked for.
    pub fn all_good(mut self) -> Self {
        let share = &mut self.share;
        (share.duplicates, share.late, share.past, share.malformed) = (0.0, 0.0, 0.0, 0.0);
        (self.funnel.refund, self.funnel.cancel) = (0.0, 0.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_reads() {
        Scenario::parse(BUILT_IN).expect("the built-in one reads");
        Scenario::parse(include_str!("../../scenarios/hot.toml")).expect("reads");
    }

    #[test]
    fn a_misspelt_entry_is_refused() {
        let text = BUILT_IN.replace("guests", "gests");
        assert!(Scenario::parse(&text).is_err());
    }
}
