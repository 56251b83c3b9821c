//! Every service of the port.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use souk_proto::grpc::server::admin_service_server::AdminServiceServer;
use souk_proto::grpc::server::analytics_service_server::AnalyticsServiceServer;
use souk_proto::grpc::server::event_service_server::EventServiceServer;
use souk_proto::grpc::server::user_service_server::UserServiceServer;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::reflection;
use crate::admin::{AdminApi, NodeFacts};
use crate::analytics::AnalyticsApi;
use crate::event::EventApi;
use crate::limits::{MESSAGE_BYTES, RESPONSE_BYTES};
use crate::user::UserApi;
use crate::{ApiError, Context};

/// Names of the public services, as health knows them.
pub(super) const SERVICES: [&str; 4] = [
    EventServiceServer::<EventApi>::NAME,
    UserServiceServer::<UserApi>::NAME,
    AnalyticsServiceServer::<AnalyticsApi>::NAME,
    AdminServiceServer::<AdminApi>::NAME,
];

/// Holds a service to the sizes of its messages.
macro_rules! sized {
    ($server:expr) => {
        $server.max_decoding_message_size(MESSAGE_BYTES).max_encoding_message_size(RESPONSE_BYTES)
    };
}

/// The public services by their names, and beside them a router for the rest: most calls are short, and a router is a tenth of one.
#[derive(Debug, Clone)]
pub(super) struct Services {
    events: EventServiceServer<EventApi>,
    users: UserServiceServer<UserApi>,
    analytics: AnalyticsServiceServer<AnalyticsApi>,
    admin: AdminServiceServer<AdminApi>,
    /// Health, reflection, and what answers that there is no such service.
    others: Routes,
}

impl Services {
    pub(super) fn new(
        context: &Context,
        facts: Arc<dyn NodeFacts>,
        health: HealthServer<impl Health>,
    ) -> Result<Self, ApiError> {
        let events = EventServiceServer::new(EventApi::new(context.clone()));
        let admin = AdminServiceServer::new(AdminApi::new(context.clone(), facts));
        let users = UserServiceServer::new(UserApi::new(context.clone(), Arc::new(rand::random)));
        let analytics = AnalyticsServiceServer::new(AnalyticsApi::new(context.clone()));
        let mut others = Routes::builder();
        others.add_service(health);
        add_reflection(&mut others)?;
        Ok(Self {
            events: sized!(events),
            users: sized!(users),
            analytics: sized!(analytics),
            admin: sized!(admin),
            others: others.routes().prepare(),
        })
    }
}

impl tower::Service<Request<Body>> for Services {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    /// They are always ready.
    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let named = request.uri().path().strip_prefix('/').and_then(|path| path.split_once('/'));
        match named.map_or("", |(service, _)| service) {
            EventServiceServer::<EventApi>::NAME => self.events.call(request),
            UserServiceServer::<UserApi>::NAME => self.users.call(request),
            AnalyticsServiceServer::<AnalyticsApi>::NAME => self.analytics.call(request),
            AdminServiceServer::<AdminApi>::NAME => self.admin.call(request),
            _ => Box::pin(self.others.call(request)),
        }
    }
}

/// Reflection in both versions clients ask for.
fn add_reflection(routes: &mut tonic::service::RoutesBuilder) -> Result<(), ApiError> {
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure();
        let register = tonic_reflection::server::Builder::register_file_descriptor_set;
        Ok::<_, ApiError>(reflection::descriptors()?.into_iter().fold(builder, register))
    };
    let bug = |error: tonic_reflection::server::Error| ApiError::Bug(format!("reflection: {error}"));
    routes.add_service(builder()?.build_v1().map_err(bug)?);
    routes.add_service(builder()?.build_v1alpha().map_err(bug)?);
    Ok(())
}
