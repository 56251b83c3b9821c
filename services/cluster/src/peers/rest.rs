//! How long to rest before trying again.

use std::time::Duration;

use crate::limits::{FIRST_REST, LONGEST_REST};

/// Doubles from failure to failure.
#[derive(Debug)]
pub(super) struct Rest(Duration);

impl Rest {
    pub(super) fn new() -> Self {
        Self(FIRST_REST)
    }

    pub(super) fn next(&mut self) -> Duration {
        let whole = self.0;
        self.0 = (whole * 2).min(LONGEST_REST);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_longest_and_is_never_the_same_for_all() {
        let mut rest = Rest::new();
        let mut whole = FIRST_REST;
        for _ in 0..20 {
            let next = rest.next();
            assert!(whole / 2 <= next && next <= whole, "{next:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST_REST);
        }
        assert_eq!(whole, LONGEST_REST);
    }
}
