//! What other nodes ask of this one.

use std::sync::Arc;

use async_trait::async_trait;
use souk_proto::internal::v1::{AskRequest, AskResponse, FollowRequest, LinkRequest};

use super::Runtime;
use crate::Error;
use crate::far::{self, Link};
use crate::ports::{Inbound, LinkInbound, News};

#[async_trait]
impl Inbound for Runtime {
    fn link_opened(&self) -> Box<dyn LinkInbound> {
        Box::new(Link::new(Arc::clone(&self.world)))
    }

    async fn answer(&self, question: AskRequest) -> AskResponse {
        far::answer(&self.world, question).await
    }

    fn follow(&self, request: FollowRequest) -> Result<News, Error> {
        far::follow(&self.world, request)
    }
}

impl LinkInbound for Link {
    fn hear(&mut self, message: LinkRequest) {
        self.hear(message);
    }
}
