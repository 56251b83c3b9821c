//! Cut, segment, manifest, lineage: what makes a shard's state durable, as pure values and decisions. DESIGN section 5.

pub mod codec;
pub mod lineage;
pub mod manifest;
pub mod segment;
