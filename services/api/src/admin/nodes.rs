//! GetNode and ListNodes. A node knows itself best: of others it says what they answer for.

use std::fmt::Debug;

use souk_model::settings::Clock;
use souk_model::verdict::Reason;
use souk_proto::v1;

use crate::page::Page;
use crate::read_options::info_of_node;
use crate::{ApiError, Call, Context, names};

/// What the node knows of itself, and the API cannot.
pub trait NodeFacts: Send + Sync + Debug {
    /// Version of the binary.
    fn version(&self) -> String;
    /// What an acknowledgement means: "fsync", "interval", "replicated".
    fn durability(&self) -> String;
    /// What it depends on, as it is now.
    fn dependencies(&self) -> Vec<v1::Dependency>;
}

pub(super) fn get(
    context: &Context,
    facts: &dyn NodeFacts,
    request: &v1::GetNodeRequest,
) -> Result<v1::GetNodeResponse, ApiError> {
    let ours = &context.runtime.config().node;
    if !request.name.is_empty() && names::node("name", &request.name)? != ours {
        return Err(ApiError::unknown(Reason::ResourceUnknown, &request.name));
    }
    Ok(v1::GetNodeResponse { node: Some(node(context, facts)) })
}

pub(super) async fn list(
    context: &Context,
    call: &Call,
    facts: &dyn NodeFacts,
    request: &v1::ListNodesRequest,
) -> Result<v1::ListNodesResponse, ApiError> {
    let page = Page::of(request)?;
    let after = page.cursor.as_deref();
    let (others, _) = context.runtime.everywhere(call.deadline).await;
    let others = others.into_iter().skip(1).map(|node| v1::Node {
        name: names::of_node(&node.name),
        version: node.version,
        ..v1::Node::default()
    });
    let mut nodes: Vec<v1::Node> = std::iter::once(node(context, facts)).chain(others).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let nodes = nodes.into_iter().filter(|node| after.is_none_or(|at| node.name.as_bytes() > at));
    let (nodes, next_page_token) = page.cut(nodes, |node| node.name.clone().into_bytes());
    Ok(v1::ListNodesResponse { nodes, next_page_token, info: Some(info_of_node()), ..Default::default() })
}

fn node(context: &Context, facts: &dyn NodeFacts) -> v1::Node {
    let settings = context.runtime.settings();
    let clock = match settings.fold.clock {
        Clock::Live => "live",
        Clock::History => "history",
    };
    v1::Node {
        name: names::of_node(&context.runtime.config().node),
        version: facts.version(),
        durability: facts.durability(),
        dependencies: facts.dependencies(),
        settings_hash: format!("{:016x}", settings.hash),
        clock: clock.to_owned(),
    }
}
