//! The trace of a run: a running hash of everything that happened, and its text when asked for.

use std::fmt;

use souk_model::time::Millis;
use xxhash_rust::xxh3::Xxh3;

/// Entries kept when a trace is printed; the newest matter most.
const KEPT: usize = 4_000;

/// What is done with what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracing {
    /// Nothing: formatting costs more than the run.
    Off,
    /// Hashed, to compare two runs.
    Hashed,
    /// Hashed and kept.
    Kept,
}

#[derive(Clone)]
pub struct Trace {
    tracing: Tracing,
    hash: Box<Xxh3>,
    lines: std::collections::VecDeque<String>,
    text: String,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("tracing", &self.tracing).field("hash", &self.hash()).finish()
    }
}

impl Trace {
    pub fn new(tracing: Tracing) -> Self {
        Self {
            tracing,
            hash: Box::new(Xxh3::new()),
            lines: std::collections::VecDeque::new(),
            text: String::new(),
        }
    }

    pub fn is_on(&self) -> bool {
        self.tracing != Tracing::Off
    }

    /// One thing that happened. The text is only made when somebody wants it.
    pub fn note(&mut self, at: Millis, what: fmt::Arguments<'_>) {
        if self.tracing == Tracing::Off {
            return;
        }
        self.text.clear();
        // Writing to a String cannot fail.
        let _ignored: fmt::Result = fmt::write(&mut self.text, what);
        self.hash.update(&at.to_le_bytes());
        self.hash.update(self.text.as_bytes());
        if self.tracing == Tracing::Kept {
            if self.lines.len() == KEPT {
                self.lines.pop_front();
            }
            let seconds = at.rem_euclid(86_400_000) as f64 / 1_000.0;
            self.lines.push_back(format!("{seconds:>10.3} {}", self.text));
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash.digest()
    }

    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}
