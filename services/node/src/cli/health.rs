//! `souk health`: whether a node serves, for scripts and probes.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::exit::{Exit, Failure};
use crate::client::{Target, connect};
use crate::limits;
use crate::output::{Output, answer};

/// Say whether a node serves
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk health
  souk health --exit-when-healthy --timeout 30s && ./start-the-shop

")]
pub(crate) struct Args {
    /// Wait until it serves; --timeout bounds the wait
    #[arg(long)]
    exit_when_healthy: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

/// One question; longer than that is no answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { exit_when_healthy, output, target } = args;
    let status = if exit_when_healthy {
        let bound = target.timeout.map_or(Duration::MAX, |span| span.0);
        timeout(bound, healthy(&target)).await.map_err(|_| {
            Failure::new(Exit::TimedOut, format_args!("{} did not serve in time  [exit 4]", target.address))
                .hint("what it waits for: souk shards        or http://127.0.0.1:7072/readyz")
        })??
    } else {
        look(&target).await?
    };
    let name = status.as_str_name();
    let reply = json!({ "status": name });
    answer(output, &reply, std::slice::from_ref(&reply), || {
        format!("{}\n", name.to_lowercase().replace('_', " "))
    })?;
    if status == ServingStatus::Serving { Ok(()) } else { Err(Failure::said(Exit::Failed)) }
}

/// Waits through everything but wrong usage.
async fn healthy(target: &Target) -> Result<ServingStatus, Failure> {
    loop {
        match look(target).await {
            Ok(ServingStatus::Serving) => return Ok(ServingStatus::Serving),
            Err(failure) if failure.exit() == Exit::Usage => return Err(failure),
            Ok(_) | Err(_) => sleep(limits::HEALTH_POLL).await,
        }
    }
}

async fn look(target: &Target) -> Result<ServingStatus, Failure> {
    let client = connect(target).await?;
    let mut health = HealthClient::new(client.channel());
    let asked = health.check(HealthCheckRequest { service: String::new() });
    let patience = target.timeout.map_or(PATIENCE, |span| span.0);
    match timeout(patience, asked).await {
        Ok(reply) => Ok(reply.map_err(|status| client.failure(&status))?.into_inner().status()),
        Err(_) => Err(Failure::new(
            Exit::TimedOut,
            format_args!("{} did not answer in time  [exit 4]", target.address),
        )),
    }
}
