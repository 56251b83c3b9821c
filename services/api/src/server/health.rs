//! grpc.health.v1: SERVING while every shard serves, for "" and for each service.

use souk_runtime::observe::ShardState;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthApi, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use super::routes::SERVICES;
use crate::Context;
use crate::limits::HEALTH_EVERY;

/// What health says, and what it goes by.
#[derive(Debug, Clone)]
pub(super) struct Health {
    reporter: HealthReporter,
    context: Context,
}

impl Health {
    pub(super) fn new(context: &Context) -> (Self, HealthServer<impl HealthApi>) {
        let (reporter, service) = health_reporter();
        (Self { reporter, context: context.clone() }, service)
    }

    /// Follows the shards, until it is aborted.
    pub(super) async fn watch(self) {
        let mut said = None;
        loop {
            let status = self.status();
            if said != Some(status) {
                self.say(status).await;
                said = Some(status);
            }
            tokio::time::sleep(HEALTH_EVERY).await;
        }
    }

    /// Says that the node leaves.
    pub(super) async fn leave(&self) {
        self.say(ServingStatus::NotServing).await;
    }

    fn status(&self) -> ServingStatus {
        let shards = self.context.runtime.statuses();
        let serving = shards.iter().all(|shard| shard.state == ShardState::Serving);
        if serving && !shards.is_empty() { ServingStatus::Serving } else { ServingStatus::NotServing }
    }

    async fn say(&self, status: ServingStatus) {
        for service in SERVICES.into_iter().chain([""]) {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
