//! `redis`: what of a metric stands in Redis, under which names.

use crate::limits::TOP;
use crate::metric::{Dimension, Window};
use crate::settings::node::{Node, Section};
use crate::settings::problem::Problems;
use crate::settings::view::Subject;
use crate::settings::view::template::{Template, template};
use crate::time::{DAY, Millis, SECOND};

const KEYS: [&str; 11] =
    ["window", "hash", "field", "zset", "member", "string", "list", "publish", "value", "top", "ttl"];
const TARGETS: [&str; 5] = ["hash", "zset", "string", "list", "publish"];

/// What of a metric stands in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisView {
    pub window: Window,
    pub target: RedisTarget,
    /// News beside the target: the newest 1,000 rows.
    pub list: Option<Template>,
    pub ttl: Option<Millis>,
}

/// Measures are named by their place in the metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisTarget {
    /// One measure in one field of a hash.
    Field {
        hash: Template,
        field: Template,
        value: usize,
    },
    /// All measures as fields of a hash.
    Hash {
        hash: Template,
    },
    SortedSet {
        zset: Template,
        member: Dimension,
        value: usize,
        top: u32,
    },
    Text {
        string: Template,
        value: usize,
    },
    /// Only the list.
    List,
    Publish {
        channel: Template,
    },
}

pub(super) fn redis(node: &Node<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<RedisView> {
    let section = node.section(problems)?;
    section.only(&KEYS, problems);
    let window = subject.window(&section, problems);
    let ttl = section.get("ttl").map(|node| node.duration(SECOND, 400 * DAY, problems));
    let list = section.get("list").map(|node| template(&node, subject, problems));
    let target = target(&section, subject, problems);
    Some(RedisView { window: window?, target: target?, list: transpose(list)?, ttl: transpose(ttl)? })
}

/// Absent is fine, wrong is not.
fn transpose<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(None) => None,
        Some(read) => Some(read),
    }
}

fn target(section: &Section<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<RedisTarget> {
    let named: Vec<&str> = TARGETS.into_iter().filter(|name| section.get(name).is_some()).collect();
    let target = match named.as_slice() {
        ["string", "list"] => "string",
        [one] => *one,
        _ => {
            problems.add(
                &section.path,
                "needs exactly one of hash, zset, string, list, publish; a list may stand beside a string",
            );
            return None;
        }
    };
    let field = section.get("field").filter(|_| target == "hash");
    let takes: &[&str] = match (target, &field) {
        ("hash", Some(_)) => &["field", "value"],
        ("zset", _) => &["member", "value", "top"],
        ("string", _) => &["value"],
        _ => &[],
    };
    for key in ["field", "member", "value", "top"] {
        if let (Some(node), false) = (section.get(key), takes.contains(&key)) {
            problems.add(node.path, format!("does not belong to this kind of view ({target})"));
        }
    }
    let mut name = |key: &str| template(&section.need(key, problems)?, subject, problems);
    match target {
        "hash" => {
            let hash = name("hash");
            let Some(node) = field else { return Some(RedisTarget::Hash { hash: hash? }) };
            let field = template(&node, subject, problems);
            let value = value(section, subject, false, problems);
            Some(RedisTarget::Field { hash: hash?, field: field?, value: value? })
        }
        "zset" => {
            let zset = name("zset");
            let member = section.need("member", problems).and_then(|node| {
                let name = node.text(problems)?;
                subject.dimension(&node.path, name, problems)
            });
            let value = value(section, subject, true, problems);
            let top = section.need("top", problems).and_then(|node| top(&node, problems));
            Some(RedisTarget::SortedSet { zset: zset?, member: member?, value: value?, top: top? })
        }
        "string" => {
            let string = name("string");
            let value = value(section, subject, false, problems);
            Some(RedisTarget::Text { string: string?, value: value? })
        }
        "publish" => name("publish").map(|channel| RedisTarget::Publish { channel }),
        _ => Some(RedisTarget::List),
    }
}

fn value(
    section: &Section<'_>,
    subject: &Subject<'_>,
    in_order: bool,
    problems: &mut Problems,
) -> Option<usize> {
    subject.measure(&section.need("value", problems)?, in_order, problems)
}

/// Length of a published top list.
pub(super) fn top(node: &Node<'_>, problems: &mut Problems) -> Option<u32> {
    node.integer(1, TOP, problems).and_then(|top| u32::try_from(top).ok())
}
