//! Connections to the server, and what its errors say.

use anyhow::{Context, Result};
use prost_types::Timestamp;
use souk_proto::grpc::client::admin_service_client::AdminServiceClient;
use souk_proto::grpc::client::analytics_service_client::AnalyticsServiceClient;
use souk_proto::grpc::client::user_service_client::UserServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt;

use crate::limits;
use crate::measure::clock::{self, Millis};

pub type Admin = AdminServiceClient<Channel>;
pub type Analytics = AnalyticsServiceClient<Channel>;
pub type Users = UserServiceClient<Channel>;

/// Largest answer taken: a page of 1,000 rows, or a batch of 1,000 answers.
const ANSWER_BYTES: usize = 64 << 20;

/// One TCP connection.
pub async fn connect(address: &str) -> Result<Channel> {
    endpoint(address)?.connect().await.with_context(|| format!("connecting to {address}"))
}

/// A connection that opens no room for what it does not read: a reader on it that stops is felt at once.
pub async fn connect_narrow(address: &str, window: u32) -> Result<Channel> {
    let endpoint = endpoint(address)?.initial_stream_window_size(window);
    endpoint.connect().await.with_context(|| format!("connecting to {address}"))
}

/// A connection that is made with the first call, and made anew after it broke.
pub fn lazy(address: &str) -> Result<Channel> {
    Ok(endpoint(address)?.connect_timeout(limits::TRY).connect_lazy())
}

fn endpoint(address: &str) -> Result<Endpoint> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true))
}

pub fn analytics(channel: Channel) -> Analytics {
    AnalyticsServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES)
}

pub fn admin(channel: Channel) -> Admin {
    AdminServiceClient::new(channel)
}

pub fn users(channel: Channel) -> Users {
    UserServiceClient::new(channel)
}

/// The ErrorReason an error names; its message where it names none.
pub fn reason(status: &Status) -> String {
    match status.get_details_error_info() {
        Some(info) => info.reason,
        None => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// Millisecond of a time that may be absent.
pub fn millis(at: Option<&Timestamp>) -> Option<Millis> {
    at.map(clock::millis)
}
