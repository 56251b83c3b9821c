//! The system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use souk_model::time::Millis;
use souk_runtime::ports::Clock;

/// Milliseconds since the epoch, as the system has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    // This is the one adapter of the clock port that must ask the system.
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }
}
