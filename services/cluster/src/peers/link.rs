//! One life of a link: from its connection to whatever breaks it.

use futures_util::stream;
use souk_proto::internal::v1::{Interest, LinkRequest, link_request};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use super::connection::Target;
use super::room;
use crate::limits::OPEN_TIMEOUT;
use crate::server::{LINK, TURN};

/// Which link it is, and the how-many-eth of that name: the receiver hears only the newest, so that what an older one still holds
/// cannot come after it.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) turn: u64,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: Name,
    pub(super) queue: room::Receiver,
    pub(super) interest: watch::Receiver<bool>,
}

impl Link {
    /// Carries what is told until the link breaks. Answers whether it was ever open.
    pub(super) async fn carry(self, target: &Target) -> bool {
        let Ok(mut client) = target.connect().await else { return false };
        let room = self.queue.room();
        let outgoing = Outgoing { queue: self.queue, interest: self.interest, told: false };
        let messages = stream::unfold(outgoing, |mut outgoing| async move {
            outgoing.next().await.map(|message| (message, outgoing))
        });
        let mut request = Request::new(messages);
        let Ok(name) = MetadataValue::<Ascii>::try_from(self.name.name) else { return false };
        request.metadata_mut().insert(LINK, name);
        request.metadata_mut().insert(TURN, MetadataValue::from(self.name.turn));
        let mut grants = match timeout(OPEN_TIMEOUT, client.link(request)).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => {
                tracing::debug!(node = &*target.address, %status, "a node refuses a link");
                return false;
            }
            Err(_) => return false,
        };
        loop {
            match grants.message().await {
                Ok(Some(grant)) => room.grant(grant.credits),
                Ok(None) => return true,
                Err(status) => {
                    tracing::debug!(node = &*target.address, %status, "a link broke");
                    return true;
                }
            }
        }
    }
}

/// What goes out: interest before anything else, then what waits.
#[derive(Debug)]
struct Outgoing {
    queue: room::Receiver,
    interest: watch::Receiver<bool>,
    /// What was told of interest over this link. A new one has none.
    told: bool,
}

impl Outgoing {
    async fn next(&mut self) -> Option<LinkRequest> {
        loop {
            let watched = *self.interest.borrow_and_update();
            if watched != self.told {
                self.told = watched;
                let message = link_request::Message::Interest(Interest { watched });
                return Some(LinkRequest { message: Some(message), ..LinkRequest::default() });
            }
            tokio::select! {
                biased;
                changed = self.interest.changed() => changed.ok()?,
                message = self.queue.receive() => return message,
            }
        }
    }
}
