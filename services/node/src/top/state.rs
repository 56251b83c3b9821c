//! The whole screen as data: what is shown, what is typed, since when nothing was heard. What a key does, and what a frame does, is
//! decided here; nothing here draws or waits.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::numbers::{Numbers, Shards};

/// Nothing heard for so long: the numbers are stale. Bookmarks come every two seconds.
const STALE_AFTER: Duration = Duration::from_secs(6);
/// Letters of a filter.
const FILTER: usize = 40;

/// A key as this screen knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Leave,
    /// The terminal has another size; drawing sees which.
    Resize,
}

/// What is typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    #[default]
    Numbers,
    Filter,
    Help,
}

/// How fresh the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    Waiting,
    Live,
    Stale,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) address: String,
    live: Numbers,
    /// As they were when they were held.
    held: Option<Box<Numbers>>,
    pub(super) mode: Mode,
    pub(super) filter: String,
    /// A snapshot came to its end.
    has_rows: bool,
    /// When the last frame came.
    pub(super) heard: Option<Instant>,
    /// Since then, as of the drawing; none: there was none yet.
    pub(super) silence: Option<Duration>,
    /// Why the stream broke, until it goes on.
    pub(super) trouble: Option<String>,
}

impl State {
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), ..Self::default() }
    }

    /// What is on the screen.
    pub(super) fn numbers(&self) -> &Numbers {
        self.held.as_deref().unwrap_or(&self.live)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn frame(&mut self, frame: &Value) {
        self.silence = Some(Duration::ZERO);
        self.trouble = None;
        self.has_rows |= self.live.take(frame);
    }

    pub(super) fn shards(&mut self, shards: Shards) {
        self.live.shards = Some(shards);
    }

    /// Whether everything has been heard of once.
    pub(super) fn is_whole(&self) -> bool {
        self.has_rows && self.live.shards.is_some()
    }

    pub(super) fn freshness(&self) -> Freshness {
        match self.silence {
            None => Freshness::Waiting,
            Some(silence) if silence > STALE_AFTER || self.trouble.is_some() => Freshness::Stale,
            Some(_) => Freshness::Live,
        }
    }

    /// What a key does. True: leave.
    pub(super) fn key(&mut self, key: Key) -> bool {
        match (self.mode, key) {
            (_, Key::Leave) => return true,
            (_, Key::Resize) => {}
            (Mode::Filter, Key::Char(letter)) if self.filter.chars().count() < FILTER => {
                self.filter.push(letter)
            }
            (Mode::Filter, Key::Char(_)) => {}
            (Mode::Filter, Key::Backspace) => {
                self.filter.pop();
            }
            (Mode::Filter, Key::Enter) => self.mode = Mode::Numbers,
            (Mode::Filter, Key::Escape) => {
                self.filter.clear();
                self.mode = Mode::Numbers;
            }
            (_, Key::Char('q')) => return true,
            (Mode::Help, _) => self.mode = Mode::Numbers,
            (Mode::Numbers, Key::Char('?')) => self.mode = Mode::Help,
            (Mode::Numbers, Key::Char('/')) => self.mode = Mode::Filter,
            (Mode::Numbers, Key::Char('p')) => {
                self.held = if self.held.is_some() { None } else { Some(Box::new(self.live.clone())) };
            }
            (Mode::Numbers, Key::Escape) => self.filter.clear(),
            (Mode::Numbers, _) => {}
        }
        false
    }
}
