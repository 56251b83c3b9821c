//! Commands made into requests, and answers read.

use redis::{Pipeline, Value};
use souk_model::view::{Command, What};

use crate::mark::Mark;
use crate::script::SetIfNewer;

/// What a request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) outdated: u64,
    /// Names that hold something of another kind.
    pub(crate) refused: u64,
}

/// What goes before the commands: the script, the node's mark.
const BEFORE: usize = 2;

pub(crate) fn request(script: &SetIfNewer, mark: &Mark, commands: &[Command]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len() + BEFORE);
    pipeline.add_command(script.load());
    pipeline.add_command(mark.command());
    for command in commands {
        pipeline.add_command(script.command(command));
    }
    pipeline
}

/// Reads the answers, the mark's among them.
pub(crate) fn done(mark: &Mark, commands: &[Command], answers: &[Value]) -> Done {
    if let Some(answer) = answers.get(1) {
        mark.answered(answer);
    }
    let told = |command: &Command| matches!(command.what, What::Publish { .. });
    let set = commands.iter().zip(answers.iter().skip(BEFORE)).filter(|(command, _)| !told(command));
    let count = |wanted: i64| set.clone().filter(|(_, answer)| **answer == Value::Int(wanted)).count() as u64;
    Done { outdated: count(0), refused: count(-1) }
}
