//! AnalyticsService: every metric of the catalogue, asked for and watched. One file per method or small group.
//!
//! A question's way: [`resolve`] makes a query of it → the runtime asks the products shards that hold its rows → [`rows`] shows a page. The
//! Get and List calls for people are fixed queries: each makes the QueryMetricRequest it stands for and goes the same way.

mod abandoned_carts;
mod active_users;
mod batch;
mod catalogue;
mod corrections;
mod query;
mod regions;
mod resolve;
mod rows;
mod sales;
#[cfg(test)]
mod tests;
mod top_products;
mod watch;

use souk_proto::grpc::encoded::Encoded;
use souk_proto::grpc::server::analytics_service_server::AnalyticsService;
use souk_proto::v1;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::stream::Frames;
use crate::{Call, Context};

/// The service.
#[derive(Debug)]
pub struct AnalyticsApi {
    context: Context,
}

impl AnalyticsApi {
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl AnalyticsService for AnalyticsApi {
    type QueryMetricsStream = ReceiverStream<Result<Encoded, Status>>;
    type WatchMetricStream = Frames;

    async fn list_metrics(
        &self,
        request: Request<v1::ListMetricsRequest>,
    ) -> Result<Response<v1::ListMetricsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(catalogue::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn query_metric(
        &self,
        request: Request<v1::QueryMetricRequest>,
    ) -> Result<Response<Encoded>, Status> {
        let call = Call::of(&request)?;
        let answer = query::answer(&self.context, &call, request.get_ref()).await?;
        Ok(Response::new(Encoded { body: answer.into(), ..Encoded::default() }))
    }

    async fn query_metrics(
        &self,
        request: Request<Streaming<v1::QueryMetricsRequest>>,
    ) -> Result<Response<Self::QueryMetricsStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(batch::answers(self.context.clone(), call, request.into_inner())))
    }

    async fn watch_metric(
        &self,
        request: Request<v1::WatchMetricRequest>,
    ) -> Result<Response<Frames>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(watch::frames(&self.context, &call, request.into_inner()).await?))
    }

    async fn list_corrections(
        &self,
        request: Request<v1::ListCorrectionsRequest>,
    ) -> Result<Response<v1::ListCorrectionsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(corrections::list(&self.context, &call, request.get_ref()).await?))
    }

    async fn get_active_users(
        &self,
        request: Request<v1::GetActiveUsersRequest>,
    ) -> Result<Response<v1::GetActiveUsersResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(active_users::get(&self.context, &call, request.into_inner()).await?))
    }

    async fn list_top_products(
        &self,
        request: Request<v1::ListTopProductsRequest>,
    ) -> Result<Response<v1::ListTopProductsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(top_products::list(&self.context, &call, request.into_inner()).await?))
    }

    async fn get_sales(
        &self,
        request: Request<v1::GetSalesRequest>,
    ) -> Result<Response<v1::GetSalesResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(sales::get(&self.context, &call, request.into_inner()).await?))
    }

    async fn get_region_metrics(
        &self,
        request: Request<v1::GetRegionMetricsRequest>,
    ) -> Result<Response<v1::GetRegionMetricsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(regions::get(&self.context, &call, request.into_inner()).await?))
    }

    async fn list_abandoned_carts(
        &self,
        request: Request<v1::ListAbandonedCartsRequest>,
    ) -> Result<Response<v1::ListAbandonedCartsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(abandoned_carts::list(&self.context, &call, request.get_ref()).await?))
    }
}
