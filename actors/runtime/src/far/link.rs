//! What owners say to owners on other nodes, and whether anybody there watches.

use std::sync::Arc;

use souk_model::owner::PeerMessage;
use souk_model::peer;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::link_request::Message;

use crate::shard::{Cell, Interest, Place, World};

/// Sends a message on its way to wherever the shard is; whether it left. Where that is not known it is lost, and looked up for the next.
pub(crate) fn send(world: &Arc<World>, from: &Cell, to: &Arc<Cell>, message: PeerMessage) -> bool {
    let Some(Place { address, .. }) = to.whereabouts.known() else {
        let (world, to) = (Arc::clone(world), Arc::clone(to));
        tokio::spawn(async move { world.locate(&to).await });
        return false;
    };
    let epoch = from.epoch().unwrap_or_default();
    let own = world.ports.peers.address().to_owned();
    let message = internal::LinkRequest { address: own, epoch, ..peer::to_link(from.id, to.id, message) };
    world.ports.peers.tell(&address, message)
}

/// The end of a link from another node. What that node's readers want ends with it.
#[derive(Debug)]
pub(crate) struct Link {
    world: Arc<World>,
    interest: Option<Interest>,
}

impl Link {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world, interest: None }
    }

    /// Hands on what is said. What cannot be read, or is for a shard that is not here, is lost, as the protocol of shards allows.
    pub(crate) fn hear(&mut self, request: internal::LinkRequest) {
        if let Some(Message::Interest(interest)) = &request.message {
            let world = &self.world;
            self.interest =
                interest.watched.then(|| self.interest.take().unwrap_or_else(|| world.far_interest()));
            return;
        }
        let place = Place { address: request.address.as_str().into(), epoch: request.epoch };
        match peer::from_link(request) {
            Ok((from, to, message)) => {
                if let Some(cell) = self.world.cell(from).filter(|_| !place.address.is_empty()) {
                    cell.whereabouts.found(place);
                }
                if let Some(cell) = self.world.cell(to).filter(|cell| cell.is_here()) {
                    cell.send_peer(from, message);
                }
            }
            Err(error) => tracing::warn!(%error, "a message of another node is lost"),
        }
    }
}
