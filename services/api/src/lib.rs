//! The public face of Souk: gRPC and gRPC-Web on one port. One folder per service; what all services share stands beside them.
//!
//! A call's way: [`server`] accepts the connection and holds it to its limits → the service reads its [`call`] (shop, deadline),
//! [`names`], [`filter`] and [`page`] → asks `souk_runtime` → answers with what the answer is worth ([`read_options`]). Whatever goes wrong
//! is an [`ApiError`]; [`status`] alone makes a `tonic::Status` of it.

pub mod admin;
pub mod analytics;
pub mod call;
pub mod context;
pub mod error;
pub mod event;
pub mod filter;
pub mod limits;
pub mod names;
pub mod page;
pub mod read_options;
pub mod server;
pub mod status;
mod stream;
mod token;
pub mod user;

pub use call::Call;
pub use context::Context;
pub use error::ApiError;
pub use server::{Options, Server};
