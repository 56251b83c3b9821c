//! UserService: what is known of one person. Sessions are read from state, events from the journal, and a watch shows both.

mod erase;
mod events;
mod feed;
mod sessions;
mod watch;

use std::fmt;
use std::sync::Arc;

use souk_proto::grpc::server::user_service_server::UserService;
use souk_proto::v1;
use tonic::{Request, Response, Status};

use crate::stream::Frames;
use crate::{Call, Context};

/// Bytes of an erase's salt.
pub const SALT_BYTES: usize = 16;

/// Draws the salt of an erase: random bytes nobody can guess, so that what is left of an erased user names nobody.
pub type DrawSalt = dyn Fn() -> [u8; SALT_BYTES] + Send + Sync;

/// The service.
pub struct UserApi {
    context: Context,
    draw_salt: Arc<DrawSalt>,
}

impl UserApi {
    pub fn new(context: Context, draw_salt: Arc<DrawSalt>) -> Self {
        Self { context, draw_salt }
    }
}

impl fmt::Debug for UserApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserApi").field("context", &self.context).finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl UserService for UserApi {
    type WatchUserStream = Frames;

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(sessions::get(&self.context, &call, request.get_ref()).await?))
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(sessions::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn list_user_events(
        &self,
        request: Request<v1::ListUserEventsRequest>,
    ) -> Result<Response<v1::ListUserEventsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(events::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn watch_user(&self, request: Request<v1::WatchUserRequest>) -> Result<Response<Frames>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(watch::frames(&self.context, &call, request.into_inner()).await?))
    }

    async fn erase_user(
        &self,
        request: Request<v1::EraseUserRequest>,
    ) -> Result<Response<v1::EraseUserResponse>, Status> {
        let call = Call::of(&request)?;
        let salt = (self.draw_salt)();
        Ok(Response::new(erase::erase(&self.context, &call, request.into_inner(), salt).await?))
    }
}
