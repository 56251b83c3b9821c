//! What other nodes say of themselves and the shards they carry.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use souk_model::journal::ShardId;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use souk_proto::internal::v1::shard_status::State;
use tokio::time::Instant;

use crate::observe::{Counts, NodeStatus, ShardState, ShardStatus};
use crate::runtime::statuses;
use crate::shard::{Place, World};

/// This node, for another.
pub(super) fn own(world: &World) -> internal::NodeState {
    let NodeStatus { name, version, shards } = status(world);
    internal::NodeState { name, version, shards: shards.into_iter().map(to_peer).collect() }
}

fn status(world: &World) -> NodeStatus {
    NodeStatus {
        name: world.config.node.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shards: statuses(world),
    }
}

/// Every node that carries a shard, each with its own; this one first. Nodes are asked twice at most: what the first say they no longer
/// carry is looked up anew.
pub(crate) async fn everywhere(world: &Arc<World>, deadline: Instant) -> Vec<NodeStatus> {
    let mut nodes = vec![status(world)];
    let mut asked = BTreeSet::new();
    for _ in 0..2 {
        let cells = world.every_cell().filter(|cell| !cell.is_here());
        let places = join_all(cells.map(|cell| world.locate(cell))).await;
        let mut addresses: BTreeSet<_> = places.into_iter().flatten().map(|place| place.address).collect();
        addresses.retain(|address| asked.insert(Arc::clone(address)));
        for (address, node) in each(world, addresses, deadline).await {
            forget_given_away(world, &address, &node);
            nodes.push(node);
        }
    }
    nodes
}

/// Whether the node at a place says that it serves the shard.
pub(crate) async fn serves(world: &World, shard: ShardId, place: &Place, deadline: Instant) -> bool {
    let nodes = each(world, BTreeSet::from([Arc::clone(&place.address)]), deadline).await;
    let serves = |status: &ShardStatus| status.shard == shard && status.state == ShardState::Serving;
    nodes.flat_map(|(_, node)| node.shards).any(|status| serves(&status))
}

/// What was thought to be there and is not.
fn forget_given_away(world: &World, address: &Arc<str>, node: &NodeStatus) {
    for cell in world.every_cell() {
        let thought = cell.whereabouts.known().filter(|place| place.address == *address);
        let carried = node.shards.iter().any(|status| status.shard == cell.id);
        if let Some(place) = thought.filter(|_| !carried) {
            cell.whereabouts.lost(&place);
        }
    }
}

/// What the nodes at these addresses say, as far as they answer.
pub(super) async fn each(
    world: &World,
    addresses: BTreeSet<Arc<str>>,
    deadline: Instant,
) -> impl Iterator<Item = (Arc<str>, NodeStatus)> + use<> {
    let asked = addresses.into_iter().map(|address| async move {
        let question = Question::Node(internal::ReadNode {});
        match world.ports.peers.ask(&address, question, deadline).await.ok()?.answer? {
            Answer::Node(node) => Some((address, from_peer(node))),
            _ => None,
        }
    });
    join_all(asked).await.into_iter().flatten()
}

fn to_peer(status: ShardStatus) -> internal::ShardStatus {
    let state = match status.state {
        ShardState::Serving => State::Serving,
        ShardState::CatchingUp => State::CatchingUp,
        ShardState::Moving => State::Moving,
        ShardState::Unowned => State::Unowned,
    };
    internal::ShardStatus {
        shard: status.shard.to_string(),
        owner: status.owner,
        epoch: status.epoch,
        state: state.into(),
        position: status.position,
        end: status.end,
        watermark_ms: status.watermark,
        cut_age_ms: status.cut_age,
        actors: status.actors,
        mailbox: status.mailbox,
        restarts: status.restarts,
        problem: status.problem.unwrap_or_default(),
    }
}

fn from_peer(node: internal::NodeState) -> NodeStatus {
    let shard = |status: internal::ShardStatus| {
        let shard: ShardId = status.shard.parse().ok()?;
        Some(ShardStatus {
            shard,
            state: match status.state() {
                State::Serving => ShardState::Serving,
                State::CatchingUp => ShardState::CatchingUp,
                State::Moving => ShardState::Moving,
                State::Unowned | State::Unspecified => ShardState::Unowned,
            },
            owner: status.owner,
            epoch: status.epoch,
            position: status.position,
            end: status.end,
            watermark: status.watermark_ms,
            cut_age: status.cut_age_ms,
            actors: status.actors,
            mailbox: status.mailbox,
            counts: Counts::default(),
            restarts: status.restarts,
            problem: Some(status.problem).filter(|problem| !problem.is_empty()),
        })
    };
    NodeStatus {
        name: node.name,
        version: node.version,
        shards: node.shards.into_iter().filter_map(shard).collect(),
    }
}
