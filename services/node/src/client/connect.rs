//! Finding the node: the address flags of every client command, and the first connection.

use std::time::Duration;

use clap::Args;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};

use super::{Client, problem};
use crate::cli::exit::Failure;
use crate::config::Span;
use crate::limits;

/// Which node to ask, and for how long.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Node")]
pub(crate) struct Target {
    /// Address of the node
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7070", env = "SOUK_ADDRESS")]
    pub(crate) address: String,
    /// Shop the names are within
    #[arg(long, default_value = "main")]
    pub(crate) shop: String,
    /// How long to wait for an answer [default: 10s, a stream: no end]
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<Span>,
}

/// Connects, and fails here if nobody listens.
pub(crate) async fn connect(target: &Target) -> Result<Client, Failure> {
    let channel = endpoint(&target.address)?
        .connect()
        .await
        .map_err(|error| problem::unreachable(&target.address, &error))?;
    client(target, channel)
}

fn client(target: &Target, channel: Channel) -> Result<Client, Failure> {
    let shop = MetadataValue::try_from(&target.shop)
        .map_err(|_| Failure::usage(format_args!("{:?} is no name of a shop", target.shop)))?;
    let timeout = target.timeout.map(|span| span.0);
    Ok(Client { channel, address: target.address.clone(), shop, timeout })
}

fn endpoint(address: &str) -> Result<Endpoint, Failure> {
    let uri = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(uri)
        .ok()
        .filter(|endpoint| endpoint.uri().port().is_some())
        .ok_or_else(|| Failure::usage(format_args!("{address:?} is no address; write HOST:PORT")))?;
    Ok(endpoint
        .connect_timeout(limits::CONNECT_WAIT)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10)))
}
