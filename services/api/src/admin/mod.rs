//! AdminService: for those who run Souk. One file per group of methods.

mod actor;
mod dead_letters;
mod nodes;
mod requeue;
mod settings;
mod shards;

use std::sync::Arc;

use souk_proto::grpc::server::admin_service_server::AdminService;
use souk_proto::v1;
use tonic::{Request, Response, Status};

pub use nodes::NodeFacts;

use crate::{Call, Context};

/// The service.
#[derive(Debug)]
pub struct AdminApi {
    context: Context,
    facts: Arc<dyn NodeFacts>,
}

impl AdminApi {
    pub fn new(context: Context, facts: Arc<dyn NodeFacts>) -> Self {
        Self { context, facts }
    }
}

#[tonic::async_trait]
impl AdminService for AdminApi {
    async fn list_shards(
        &self,
        request: Request<v1::ListShardsRequest>,
    ) -> Result<Response<v1::ListShardsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(shards::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn describe_actor(
        &self,
        request: Request<v1::DescribeActorRequest>,
    ) -> Result<Response<v1::DescribeActorResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(actor::describe(&self.context, &call, request.get_ref()).await?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(dead_letters::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn requeue_dead_letter(
        &self,
        request: Request<v1::RequeueDeadLetterRequest>,
    ) -> Result<Response<v1::RequeueDeadLetterResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(requeue::requeue(&self.context, &call, request.into_inner()).await?))
    }

    async fn get_node(
        &self,
        request: Request<v1::GetNodeRequest>,
    ) -> Result<Response<v1::GetNodeResponse>, Status> {
        Ok(Response::new(nodes::get(&self.context, self.facts.as_ref(), request.get_ref())?))
    }

    async fn list_nodes(
        &self,
        request: Request<v1::ListNodesRequest>,
    ) -> Result<Response<v1::ListNodesResponse>, Status> {
        let call = Call::of(&request)?;
        let facts = self.facts.as_ref();
        Ok(Response::new(nodes::list(&self.context, &call, facts, request.get_ref()).await?))
    }

    async fn apply_settings(
        &self,
        request: Request<v1::ApplySettingsRequest>,
    ) -> Result<Response<v1::ApplySettingsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(settings::apply(&self.context, &call, request.get_ref()).await?))
    }
}
