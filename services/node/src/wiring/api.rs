//! The API's server.

use std::sync::Arc;

use souk_runtime::Runtime;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::config::Config;

/// Serves until it is told to drain and every call has ended.
pub(super) async fn serve(
    _config: Config,
    listener: TcpListener,
    _runtime: Arc<Runtime>,
    drain: CancellationToken,
) -> anyhow::Result<()> {
    let (health, service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let stop = drain.cancelled_owned();
    Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop)
        .await?;
    Ok(())
}
