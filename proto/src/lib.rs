//! Souk's protobuf messages, generated from the files below `proto/souk`.
//!
//! Three packages with three lifetimes: [`v1`] is the public API, [`journal::v1`] the records, which live as long as the
//! log does, and [`state::v1`] the cuts, which live until the next one. Messages only: meaning, checks and conversions
//! belong to the crates that use them. The rules for changing a file are in `proto/README.md`.

/// The public API, `souk.v1`.
#[allow(clippy::all, missing_debug_implementations, rustdoc::all)] // generated, comments are prose
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/souk.v1.rs"));
}

#[cfg(feature = "grpc")]
pub mod grpc;
pub mod wire;

/// What stands in the journals.
pub mod journal {
    /// The records, `souk.journal.v1`.
    #[allow(clippy::all, missing_debug_implementations, rustdoc::all)] // generated, comments are prose
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/souk.journal.v1.rs"));
    }
}

/// What nodes say to each other.
pub mod internal {
    /// Links, questions and their answers, `souk.internal.v1`.
    #[allow(clippy::all, missing_debug_implementations, rustdoc::all)] // generated, comments are prose
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/souk.internal.v1.rs"));
    }
}

/// What stands in the store.
pub mod state {
    /// The cuts, `souk.state.v1`.
    #[allow(clippy::all, missing_debug_implementations, rustdoc::all)] // generated, comments are prose
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/souk.state.v1.rs"));
    }
}

/// Every package with its imports and comments, as an encoded `google.protobuf.FileDescriptorSet`: what reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/souk.binpb"));
