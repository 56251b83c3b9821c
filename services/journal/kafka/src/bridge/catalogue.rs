//! What the catalogue says of the products a message names. The fold may not look it up, and a message of others says little of it.

use async_trait::async_trait;
use souk_model::record::Event;
use souk_runtime::Runtime;

/// Whoever knows the products.
#[async_trait]
pub trait Catalogue: std::fmt::Debug + Send + Sync {
    /// Stamps events with what they leave unsaid, as far as it is known in time.
    async fn stamp(&self, events: &mut [Event]);
}

#[async_trait]
impl Catalogue for Runtime {
    async fn stamp(&self, events: &mut [Event]) {
        Self::stamp(self, events).await;
    }
}
