//! What the shoppers are told. The same options make the same events.

use std::str::FromStr;

use super::kind::Weights;

/// A part of all, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Share(f64);

impl Share {
    pub(crate) const NONE: Self = Self(0.0);

    pub(crate) const fn percent(percent: u8) -> Self {
        Self(percent as f64 / 100.0)
    }

    pub(super) fn part(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = &'static str;

    /// Reads `0.05` or `5%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "wants a share, as 0.05 or 5%";
        let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let part = number.trim().parse::<f64>().map_err(|_| WANTED)? / scale;
        if (0.0..=1.0).contains(&part) { Ok(Self(part)) } else { Err("wants a share from 0 to 1") }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How skewed a choice is: the n-th of all is chosen in proportion to 1 / n to this power. 0: all alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exponent(f64);

impl Exponent {
    pub(super) fn power(self) -> f64 {
        self.0
    }
}

impl FromStr for Exponent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let power: f64 = text.parse().map_err(|_| "wants a number, as 1 or 0.6")?;
        if (0.0..=10.0).contains(&power) { Ok(Self(power)) } else { Err("wants a number from 0 to 10") }
    }
}

/// Everything the events depend on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// Events a second.
    pub(crate) rate: u32,
    pub(crate) seed: u64,
    /// Stands in every id this run makes up, so that two runs are not taken for one told twice.
    pub(crate) run: String,
    /// Event time of the first event, in milliseconds since 1970.
    pub(crate) start_millis: i64,
    pub(crate) users: u32,
    pub(crate) user_skew: Exponent,
    pub(crate) products: u32,
    pub(crate) product_skew: Exponent,
    pub(crate) weights: Weights,
    /// Of all carts, those never bought.
    pub(crate) abandon: Share,
    pub(crate) late: Share,
    pub(crate) duplicates: Share,
    pub(crate) malformed: Share,
    /// Whether half of what is malformed may be no event at all: only where lines of text are written.
    pub(crate) broken_lines: bool,
}

impl Options {
    /// What `souk dev` and `souk generate` make unless they are told otherwise.
    pub(crate) fn new(rate: u32, seed: u64, run: String, start_millis: i64) -> Self {
        Self {
            rate,
            seed,
            run,
            start_millis,
            users: 5_000,
            user_skew: Exponent(0.6),
            products: 200,
            product_skew: Exponent(1.0),
            weights: Weights::default(),
            abandon: Share::percent(60),
            late: Share::NONE,
            duplicates: Share::NONE,
            malformed: Share::NONE,
            broken_lines: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_parts_and_as_percent() {
        assert_eq!("0.05".parse(), Ok(Share(0.05)));
        assert_eq!("5%".parse(), Ok(Share(0.05)));
        for text in ["1.1", "-0.1", "NaN", "101%", "some", ""] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
