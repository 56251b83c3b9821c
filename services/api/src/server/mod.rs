//! The server: one port for gRPC and gRPC-Web. Its own accept loop, because no limit on connections exists below it.
//!
//! A connection's way: [`accept`] holds it to the caps → [`connection`] speaks HTTP/2 (or 1.1, for gRPC-Web) on it → [`gate`] holds each call
//! to its limits and deadline, and catches what panics → the service. Shutting down never hangs: streams are told to go, calls get
//! [`Options::grace`], then everything is dropped.

mod accept;
mod connection;
mod counters;
mod gate;
mod guarded;
mod health;
mod methods;
mod options;
mod reflection;
mod routes;
mod seen;
mod web;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use souk_runtime::Runtime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use counters::{Counters, Figures};
pub use methods::{CallsTook, Methods};
pub use options::Options;
pub use seen::Spans;

use crate::admin::NodeFacts;
use crate::{ApiError, Context};

/// A server that has its port, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    context: Context,
    facts: Arc<dyn NodeFacts>,
    counters: Arc<Counters>,
    methods: Arc<Methods>,
    spans: Option<Arc<dyn Spans>>,
}

impl Server {
    /// Takes the port. From here on clients may connect; they are answered once it serves.
    pub async fn bind(
        options: Options,
        runtime: Arc<Runtime>,
        facts: Arc<dyn NodeFacts>,
    ) -> Result<Self, ApiError> {
        let address = options.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ApiError::PortTaken(address),
            _ => ApiError::Listen { address, source },
        })?;
        Self::on(listener, options, runtime, facts)
    }

    /// On a port that was taken before there was anything to serve.
    pub fn on(
        listener: TcpListener,
        options: Options,
        runtime: Arc<Runtime>,
        facts: Arc<dyn NodeFacts>,
    ) -> Result<Self, ApiError> {
        options.check()?;
        let address = options.listen;
        let address = listener.local_addr().map_err(|source| ApiError::Listen { address, source })?;
        let context = Context { runtime, drain: CancellationToken::new() };
        let methods = Arc::new(Methods::new()?);
        Ok(Self {
            listener,
            address,
            options,
            context,
            facts,
            counters: Arc::default(),
            methods,
            spans: None,
        })
    }

    /// Has calls traced.
    pub fn traced(self, spans: Arc<dyn Spans>) -> Self {
        Self { spans: Some(spans), ..self }
    }

    /// Where it listens: with the port it was given, where it asked for any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cancelled when streams begin to be told to go: what else must end then can wait for it.
    pub fn draining(&self) -> CancellationToken {
        self.context.drain.clone()
    }

    /// What can be seen of it from outside.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// How long calls took.
    pub fn methods(&self) -> Arc<Methods> {
        self.methods.clone()
    }

    /// Serves until `stop` is done, then drains: health says NOT_SERVING, after [`Options::notice`] new calls are refused and streams
    /// told to go, and at the latest [`Options::grace`] later everything has ended. Answers whether it all ended by itself.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<bool, ApiError> {
        let Self { listener, options, context, facts, counters, methods, spans, .. } = self;
        let (health, health_service) = health::Health::new(&context);
        let services = routes::Services::new(&context, facts, health_service)?;
        let gate = gate::Gate::new(services, &options, context.drain.clone(), &counters, &methods, spans);
        let service = web::Service::new(gate, &options);
        let mut accepting = accept::Accepting::new(listener, &options, counters);
        let watching = tokio::spawn(health.clone().watch());

        accepting.run(&service, stop).await;

        watching.abort();
        health.leave().await;
        accepting.run(&service, tokio::time::sleep(options.notice)).await;
        context.drain.cancel();
        Ok(accepting.close(options.grace).await)
    }
}
