//! Commands made into requests, and answers read.

use redis::{Pipeline, Value};
use souk_model::view::{Command, What};
use souk_runtime::ports::Held;

use crate::limits::ALIVE_KEPT;
use crate::script::SetIfNewer;

/// A node's mark: a key of its own with a value nobody else writes.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What a request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) held: Held,
    pub(crate) outdated: u64,
    /// Names that hold something of another kind.
    pub(crate) refused: u64,
}

/// What goes before the commands: the script, the node's mark.
const BEFORE: usize = 2;

pub(crate) fn request(script: &SetIfNewer, mark: &Mark, commands: &[Command]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len() + BEFORE);
    pipeline.add_command(script.load());
    let mut known = redis::cmd("SET");
    known.arg(&mark.key).arg(&mark.value).arg("EX").arg(ALIVE_KEPT.as_secs()).arg("GET");
    pipeline.add_command(known);
    for command in commands {
        pipeline.add_command(script.command(command));
    }
    pipeline
}

pub(crate) fn done(mark: &Mark, commands: &[Command], answers: &[Value]) -> Done {
    let held = match answers.get(1) {
        Some(Value::BulkString(found)) if *found == mark.value.as_bytes() => Held::All,
        _ => Held::Nothing,
    };
    let told = |command: &Command| matches!(command.what, What::Publish { .. });
    let set = commands.iter().zip(answers.iter().skip(BEFORE)).filter(|(command, _)| !told(command));
    let count = |wanted: i64| set.clone().filter(|(_, answer)| **answer == Value::Int(wanted)).count() as u64;
    Done { held, outdated: count(0), refused: count(-1) }
}
