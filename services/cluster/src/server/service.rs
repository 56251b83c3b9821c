//! The three calls nodes have for each other.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use souk_proto::grpc::peer::peer_service_server::PeerService;
use souk_proto::internal::v1::{
    AskRequest, AskResponse, FollowRequest, FollowResponse, LinkRequest, LinkResponse, link_request,
};
use souk_runtime::ports::{Inbound, LinkInbound, News};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::turns::{Turn, Turns};
use super::{LINK, TURN};
use crate::limits::{ANSWERS, FOLLOWED, GRANT, LINK_NAME_BYTES, LINKS};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[derive(Debug)]
pub(super) struct Service {
    inbound: Arc<dyn Inbound>,
    turns: Turns,
    links: Arc<Semaphore>,
    answers: Semaphore,
    followed: Arc<Semaphore>,
    leaving: CancellationToken,
}

impl Service {
    pub(super) fn new(inbound: Arc<dyn Inbound>, leaving: CancellationToken) -> Self {
        Self {
            inbound,
            turns: Turns::default(),
            links: Arc::new(Semaphore::new(LINKS)),
            answers: Semaphore::new(ANSWERS),
            followed: Arc::new(Semaphore::new(FOLLOWED)),
            leaving,
        }
    }
}

fn full<T>(_: T) -> Status {
    Status::resource_exhausted("the node has too much to do")
}

fn name_of(metadata: &MetadataMap) -> Option<(&str, u64)> {
    let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
    let name = text(LINK).filter(|name| name.len() <= LINK_NAME_BYTES)?;
    Some((name, text(TURN)?.parse().ok()?))
}

#[tonic::async_trait]
impl PeerService for Service {
    type LinkStream = Answers<LinkResponse>;
    type FollowStream = Answers<FollowResponse>;

    async fn link(
        &self,
        request: Request<Streaming<LinkRequest>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let place = self.links.clone().try_acquire_owned().map_err(full)?;
        let (name, turn) = name_of(request.metadata())
            .ok_or_else(|| Status::invalid_argument("a link says its name and its turn"))?;
        let turn =
            self.turns.begin(name, turn).ok_or_else(|| Status::aborted("a later link has begun already"))?;
        let link = Hearing {
            ear: self.inbound.link_opened(),
            messages: request.into_inner(),
            turn,
            leaving: self.leaving.clone(),
            _place: place,
        };
        let grants =
            stream::unfold(link, |mut link| async move { link.grant().await.map(|grant| (Ok(grant), link)) });
        Ok(Response::new(Box::pin(grants)))
    }

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<AskResponse>, Status> {
        let _place = self.answers.try_acquire().map_err(full)?;
        Ok(Response::new(self.inbound.answer(request.into_inner()).await))
    }

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let place = self.followed.clone().try_acquire_owned().map_err(full)?;
        let news = self
            .inbound
            .follow(request.into_inner())
            .map_err(|error| Status::not_found(error.to_string()))?;
        let following = Following { news, leaving: self.leaving.clone(), _place: place };
        let news = stream::unfold(following, |mut following| async move {
            following.next().await.map(|news| (Ok(news), following))
        });
        Ok(Response::new(Box::pin(news)))
    }
}

/// A link that is open.
struct Hearing {
    ear: Box<dyn LinkInbound>,
    messages: Streaming<LinkRequest>,
    turn: Turn,
    leaving: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Hearing {
    /// Hears messages until there is something to give back for them. Nothing: the link is over.
    async fn grant(&mut self) -> Option<LinkResponse> {
        let mut heard = 0;
        while heard < GRANT {
            let message = tokio::select! {
                () = self.leaving.cancelled() => return None,
                () = self.turn.over() => return None,
                message = self.messages.message() => message.ok()??,
            };
            // What a node says of its interest goes without credit: it says it once.
            if !matches!(message.message, Some(link_request::Message::Interest(_))) {
                heard += 1;
            }
            self.turn.during(|| self.ear.hear(message))?;
        }
        Some(LinkResponse { credits: heard })
    }
}

/// Something that is followed.
struct Following {
    news: News,
    leaving: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Following {
    async fn next(&mut self) -> Option<FollowResponse> {
        tokio::select! {
            () = self.leaving.cancelled() => None,
            news = self.news.recv() => news.map(|()| FollowResponse {}),
        }
    }
}
