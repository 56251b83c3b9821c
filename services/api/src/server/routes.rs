//! Every service of the port.

use std::sync::Arc;

use souk_proto::grpc::server::admin_service_server::AdminServiceServer;
use souk_proto::grpc::server::analytics_service_server::AnalyticsServiceServer;
use souk_proto::grpc::server::event_service_server::EventServiceServer;
use souk_proto::grpc::server::user_service_server::UserServiceServer;
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

pub(super) fn routes(
    context: &Context,
    facts: Arc<dyn NodeFacts>,
    health: HealthServer<impl Health>,
) -> Result<Routes, ApiError> {
    let events = EventServiceServer::new(EventApi::new(context.clone()));
    let admin = AdminServiceServer::new(AdminApi::new(context.clone(), facts));
    let users = UserServiceServer::new(UserApi::new(context.clone(), Arc::new(rand::random)));
    let analytics = AnalyticsServiceServer::new(AnalyticsApi::new(context.clone()));
    let mut routes = Routes::builder();
    routes.add_service(sized!(events)).add_service(sized!(users)).add_service(sized!(analytics));
    routes.add_service(sized!(admin)).add_service(health);
    add_reflection(&mut routes)?;
    Ok(routes.routes().prepare())
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
