//! What every service is made of.

use std::sync::Arc;

use souk_runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Cheap to clone: each service has its own.
#[derive(Debug, Clone)]
pub struct Context {
    pub runtime: Arc<Runtime>,
    /// Cancelled when the node begins to leave: streams say GO_AWAY, then end with NODE_DRAINING.
    pub drain: CancellationToken,
}
