//! The way to the server: connecting to it, and who may ask it when.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::client::{PoolSize, WriteCoalescingDelay};
use scylla::errors::{ConnectionError, ConnectionPoolError, ExecutionError, MetadataError, NewSessionError};
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use souk_model::owner::Unavailable;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::Error;
use crate::cql::Prepared;
use crate::limits::{
    CONNECT_TIMEOUT, CONNECTIONS, KEEPALIVE, KNOCK_EVERY, MANIFEST_REQUESTS, QUEUE_WAIT, SCHEMA_TIMEOUT,
    SEGMENT_REQUESTS,
};
use crate::options::Options;

/// Connects, and waits for a server that is just starting.
pub(crate) async fn connect(options: &Options) -> Result<Session, Error> {
    let deadline = Instant::now() + options.patience;
    let mut why = "it is silent".to_owned();
    loop {
        match timeout_at(deadline, session(options).build()).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) if is_final(&error) => {
                return Err(Error::Refused { nodes: options.addresses(), why: error.to_string() });
            }
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => {}
        }
        if Instant::now() + KNOCK_EVERY >= deadline {
            return Err(Error::NoServer { nodes: options.addresses(), waited: options.patience, why });
        }
        sleep(KNOCK_EVERY).await;
    }
}

/// The server is there and wants another client, or another password.
fn is_final(error: &NewSessionError) -> bool {
    matches!(
        error,
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(ConnectionPoolError::Broken {
            last_connection_error: ConnectionError::ConnectionSetupRequestError(_),
        })) | NewSessionError::IllegalConfig(_)
    )
}

/// By itself the driver repeats nothing, and asks no second server while the first is slow.
fn session(options: &Options) -> SessionBuilder {
    let mut balancing = DefaultPolicy::builder().token_aware(true);
    if let Some(own) = &options.datacenter {
        balancing = balancing.prefer_datacenter(own.clone()).permit_dc_failover(false);
    }
    let profile = ExecutionProfile::builder()
        .request_timeout(Some(options.request_timeout))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .speculative_execution_policy(None)
        .load_balancing_policy(balancing.build())
        .build();
    let connections = NonZeroUsize::new(CONNECTIONS).expect("a limit that is not 0");
    let builder = SessionBuilder::new()
        .known_nodes(&options.nodes)
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(CONNECT_TIMEOUT)
        .hostname_resolution_timeout(Some(CONNECT_TIMEOUT))
        .pool_size(PoolSize::PerShard(connections))
        .tcp_nodelay(true)
        .keepalive_interval(KEEPALIVE)
        .keepalive_timeout(KEEPALIVE)
        .schema_agreement_timeout(SCHEMA_TIMEOUT)
        .metadata_request_clientside_timeout(SCHEMA_TIMEOUT)
        // Where copies lie is all the driver needs to know of a keyspace.
        .keyspaces_to_fetch([options.keyspace.as_str()])
        .fetch_full_schema_metadata(false)
        .write_coalescing_delay(WriteCoalescingDelay::SmallNondeterministic);
    match &options.login {
        Some(login) => builder.user(&login.user, &login.password),
        None => builder,
    }
}

/// A store's session, with room for so many requests.
#[derive(Debug)]
pub(crate) struct Client {
    session: Session,
    pub(crate) prepared: Prepared,
    segments: Semaphore,
    manifests: Semaphore,
    nodes: String,
    /// The last request got no answer: said once, not every time.
    away: AtomicBool,
}

impl Client {
    pub(crate) fn new(session: Session, prepared: Prepared, options: &Options) -> Self {
        Self {
            session,
            prepared,
            segments: Semaphore::new(SEGMENT_REQUESTS),
            manifests: Semaphore::new(MANIFEST_REQUESTS),
            nodes: options.addresses(),
            away: AtomicBool::new(false),
        }
    }

    /// A request about a manifest.
    pub(crate) async fn manifest(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<QueryResult, Unavailable> {
        let _turn = self.turn(&self.manifests).await?;
        self.heard(self.session.execute_unpaged(statement, values).await)
    }

    /// A change of segments.
    pub(crate) async fn change(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
    ) -> Result<(), Unavailable> {
        let _turn = self.turn(&self.segments).await?;
        self.heard(self.session.execute_unpaged(statement, values).await).map(drop)
    }

    /// The next page of segments.
    pub(crate) async fn page(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
        from: PagingState,
    ) -> Result<(QueryResult, PagingStateResponse), Unavailable> {
        let _turn = self.turn(&self.segments).await?;
        self.heard(self.session.execute_single_page(statement, values, from).await)
    }

    async fn turn<'s>(&self, room: &'s Semaphore) -> Result<SemaphorePermit<'s>, Unavailable> {
        match timeout(QUEUE_WAIT, room.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Unavailable),
        }
    }

    fn heard<T>(&self, answer: Result<T, ExecutionError>) -> Result<T, Unavailable> {
        let was_away = self.away.swap(answer.is_err(), Ordering::Relaxed);
        match answer {
            Ok(answer) => {
                if was_away {
                    tracing::info!(nodes = self.nodes, "the store answers again");
                }
                Ok(answer)
            }
            Err(error) => {
                if was_away {
                    tracing::debug!(nodes = self.nodes, %error, "a request to the store failed");
                } else {
                    tracing::warn!(nodes = self.nodes, %error, "a request to the store failed; further ones are logged as debug");
                }
                Err(Unavailable)
            }
        }
    }
}
