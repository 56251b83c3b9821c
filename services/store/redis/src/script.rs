//! What Redis does for one command: `set_if_newer.lua`, known to it by its hash.

use redis::{Cmd, Script};
use souk_model::view::{Command, LIST_NEWEST, What};

use crate::limits::ORDER_KEPT;

const TEXT: &str = include_str!("set_if_newer.lua");

#[derive(Debug)]
pub(crate) struct SetIfNewer {
    hash: String,
}

impl Default for SetIfNewer {
    fn default() -> Self {
        Self { hash: Script::new(TEXT).get_hash().to_owned() }
    }
}

impl SetIfNewer {
    /// Makes the script known: a server that was started anew has forgotten it.
    pub(crate) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(TEXT);
        load
    }

    pub(crate) fn command(&self, command: &Command) -> Cmd {
        let Command { name, what, order, ttl } = command;
        let (kind, part) = match what {
            What::Publish { row } => {
                let mut publish = redis::cmd("PUBLISH");
                publish.arg(name).arg(row);
                return publish;
            }
            What::Field { field, .. } => ("field", field.as_str()),
            What::Push { of, .. } => ("push", of.as_str()),
            What::Hash { .. } => ("hash", ""),
            What::SortedSet { .. } => ("zset", ""),
            What::Text { .. } | What::Answer { .. } => ("text", ""),
        };
        let noted = ttl.unwrap_or_default().max(ORDER_KEPT.as_millis() as i64);
        let mut set = redis::cmd("EVALSHA");
        set.arg(&self.hash).arg(2).arg(name).arg(note_of(name, part));
        set.arg(kind).arg(order.start).arg(order.revision).arg(ttl.unwrap_or_default()).arg(noted);
        match what {
            What::Field { field, value } => set.arg(field).arg(value),
            What::Push { row, .. } => set.arg(row).arg(LIST_NEWEST),
            What::Text { value } => set.arg(value),
            What::Answer { bytes } => set.arg(bytes),
            What::Hash { fields } => {
                fields.iter().fold(&mut set, |set, (field, value)| set.arg(field).arg(value))
            }
            What::SortedSet { members } => {
                members.iter().fold(&mut set, |set, (member, score)| set.arg(*score).arg(member))
            }
            What::Publish { .. } => &mut set,
        };
        set
    }
}

/// Where it is noted how new a value is: in the slot of its name, where a cluster has slots.
fn note_of(name: &str, part: &str) -> String {
    // A name with a tag of its own is in that tag's slot.
    let tag = name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let tag = tag.filter(|tag| !tag.is_empty()).unwrap_or(name);
    format!("souk:order:{{{tag}}}:{name}:{part}")
}
