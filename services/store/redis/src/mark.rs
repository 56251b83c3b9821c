//! A node's mark in Redis: a key of its own with a value nobody else writes. If it is gone, so may be everything else.
//!
//! An answer can be lost after Redis has done what was asked. So finding the mark and setting it are two requests, and what was found stays
//! known here until it was told.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use redis::{Cmd, Value};
use souk_runtime::ports::Held;

use crate::limits::ALIVE_KEPT;

#[derive(Debug)]
pub(crate) struct Mark {
    key: String,
    value: String,
    /// Whether it was set, and has been there since.
    stands: AtomicBool,
    /// Whether somebody has yet to hear that it was gone.
    to_tell: AtomicBool,
}

impl Mark {
    pub(crate) fn new(node: &str, incarnation: u64) -> Self {
        Self {
            key: format!("souk:alive:{node}"),
            value: format!("{incarnation:x}"),
            stands: AtomicBool::new(false),
            to_tell: AtomicBool::new(true),
        }
    }

    /// What goes with a request: a look at it, or where it does not stand its setting. Either way it is kept for a while longer.
    pub(crate) fn command(&self) -> Cmd {
        let seconds = ALIVE_KEPT.as_secs();
        if self.stands.load(Relaxed) {
            let mut look = redis::cmd("GETEX");
            look.arg(&self.key).arg("EX").arg(seconds);
            look
        } else {
            let mut set = redis::cmd("SET");
            set.arg(&self.key).arg(&self.value).arg("EX").arg(seconds);
            set
        }
    }

    /// What the command was answered with.
    pub(crate) fn answered(&self, answer: &Value) {
        if !self.stands.load(Relaxed) {
            self.stands.store(true, Relaxed);
        } else if !matches!(answer, Value::BulkString(found) if *found == self.value.as_bytes()) {
            self.stands.store(false, Relaxed);
            self.to_tell.store(true, Relaxed);
        }
    }

    /// Whether Redis holds what was written. That it does not is told once.
    pub(crate) fn tell(&self) -> Held {
        if self.to_tell.swap(false, Relaxed) { Held::Nothing } else { Held::All }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(command: &Cmd) -> String {
        String::from_utf8_lossy(&command.get_packed_command()).into_owned()
    }

    #[test]
    fn that_it_is_gone_is_told_once_though_answers_are_lost() {
        let mark = Mark::new("n-1", 7);
        assert!(text(&mark.command()).contains("SET"));
        mark.answered(&Value::Okay);
        assert_eq!((mark.tell(), mark.tell()), (Held::Nothing, Held::All), "nobody knows what was before");
        let found = Value::BulkString(b"7".to_vec());
        assert!(text(&mark.command()).contains("GETEX"));
        mark.answered(&found);
        assert_eq!(mark.tell(), Held::All);
        // Gone; the answer to its setting is lost, and it is set again.
        mark.answered(&Value::Nil);
        assert!(text(&mark.command()).contains("SET"));
        assert!(text(&mark.command()).contains("SET"));
        mark.answered(&Value::Okay);
        mark.answered(&found);
        assert_eq!((mark.tell(), mark.tell()), (Held::Nothing, Held::All));
    }
}
