//! Nodes together: which shards are whose, and what nodes say to each other.
//!
//! [`GroupPlacement`] is the port `Placement` by Kafka's consumer group: its partitions stand for shards, and no record is ever read from them.
//! [`TonicPeers`] is the port `Peers` over gRPC, and [`serve`] its other end, which hands what comes in to the runtime's `Inbound`.
//! [`Positions`] tells Kafka how far shards have come, for the ordinary tools that show lag. None of them decides anything: the manifest's
//! epoch does. What is late or lost here costs time.

mod error;
mod kafka;
pub mod limits;
mod peers;
mod placement;
mod positions;
mod server;
mod tls;

pub use error::Error;
pub use kafka::Brokers;
pub use peers::{PeersOptions, TonicPeers};
pub use placement::{GroupPlacement, PlacementOptions, prepare};
pub use positions::{Positions, PositionsOptions};
pub use server::{ServerOptions, serve};
pub use tls::Tls;
