//! How fast a file is told: as fast as the node takes it, or so many times as fast as it happened.

use std::str::FromStr;
use std::time::Duration;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    Max,
    Times(f64),
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times: f64 =
            text.strip_suffix('x').unwrap_or(text).parse().map_err(|_| "wants max or a factor, as 10")?;
        if times.is_finite() && times >= 0.001 {
            Ok(Self::Times(times))
        } else {
            Err("wants a factor of 0.001 or more")
        }
    }
}

/// When lines are due. The first one is due at once; one that happened before it, too.
#[derive(Debug)]
pub(super) struct Timetable {
    speed: Speed,
    first: Option<i64>,
}

impl Timetable {
    pub(super) fn new(speed: Speed) -> Self {
        Self { speed, first: None }
    }

    /// How long after the start a line is due that happened then.
    pub(super) fn due(&mut self, millis: Option<i64>) -> Duration {
        let (Speed::Times(times), Some(millis)) = (self.speed, millis) else { return Duration::ZERO };
        let since = millis.saturating_sub(*self.first.get_or_insert(millis)).max(0) as u64;
        Duration::from_millis(since).div_f64(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_due_by_their_times_and_the_factor() {
        let mut table = Timetable::new("10".parse().expect("a speed"));
        let due = [Some(5_000), Some(6_000), None, Some(4_000), Some(65_000)].map(|millis| table.due(millis));
        assert_eq!(due, [0, 100, 0, 0, 6_000].map(Duration::from_millis));
        let mut table = Timetable::new(Speed::Max);
        assert_eq!([Some(0), Some(9_000)].map(|millis| table.due(millis)), [Duration::ZERO; 2]);
    }

    #[test]
    fn a_speed_is_max_or_a_factor() {
        assert_eq!("0.5x".parse(), Ok(Speed::Times(0.5)));
        for text in ["0", "-1", "fast", "inf", "NaN"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}
