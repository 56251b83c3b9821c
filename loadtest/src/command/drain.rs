//! `drain`: SIGTERM with a thousand streams open. Each is told to go with a token to come back with, and the process is gone in time.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tonic::{Code, Streaming};

use super::{Common, Place, population};
use crate::limits;
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::watcher::follower;

/// People in the state that is to be cut on the way out.
const USERS: u64 = 50_000;
/// How long the process may take.
const GONE: f64 = 10.0;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000)]
    streams: usize,
}

/// How one stream ended.
#[derive(Debug, Default)]
struct End {
    token: Option<String>,
    draining: bool,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let binary = common.binary()?;
    let mut souk = binary.serve(&place.data()).await?;
    population::touch(&souk.address, USERS, 0).await?;
    let mut streams = JoinSet::new();
    let mut channel = client::connect(&souk.address).await?;
    for n in 0..options.streams {
        if n % limits::STREAMS_PER_CONNECTION == limits::STREAMS_PER_CONNECTION - 1 {
            channel = client::connect(&souk.address).await?;
        }
        let opened = client::analytics(channel.clone()).watch_metric(request("")).await?;
        streams.spawn(until_the_end(opened.into_inner()));
    }
    drop(channel);

    let asked = Instant::now();
    souk.terminate()?;
    let status = souk.gone(limits::GONE).await?;
    let took = asked.elapsed();
    let mut ends = Vec::new();
    while let Some(end) = streams.join_next().await {
        ends.push(end?);
    }

    let mut report = Report::default();
    let told = ends.iter().filter(|end| end.token.as_ref().is_some_and(|token| !token.is_empty())).count();
    let draining = ends.iter().filter(|end| end.draining).count();
    report.note("streams open", options.streams as f64, "");
    report.measure("told to go, with a token", told as f64, "", Bar::AtLeast(options.streams as f64));
    report.measure(
        "ended UNAVAILABLE / NODE_DRAINING",
        draining as f64,
        "",
        Bar::AtLeast(options.streams as f64),
    );
    report.measure("process gone after", took.as_secs_f64(), "s", Bar::AtMost(GONE));
    if told < options.streams || draining < options.streams {
        report.violate(format!(
            "{told} of {} streams were told to go, {draining} ended as drained",
            options.streams
        ));
    }
    if !status.success() {
        report.violate(format!("the drained process ended with {status}"));
    }
    resume(&binary, place, &ends, &mut report).await?;
    Ok(report)
}

/// A token from before is good after a restart.
async fn resume(
    binary: &crate::souk::process::Binary,
    place: &Place,
    ends: &[End],
    report: &mut Report,
) -> Result<()> {
    let Some(token) = ends.iter().find_map(|end| end.token.clone()) else { return Ok(()) };
    let souk = binary.serve(&place.data()).await?;
    let mut analytics = client::analytics(client::connect(&souk.address).await?);
    let going_on = async {
        let mut frames = analytics.watch_metric(request(&token)).await?.into_inner();
        frames.message().await
    };
    match timeout(limits::CALL, going_on).await {
        Ok(Ok(Some(_))) => {}
        Ok(Ok(None)) => report.violate("a stream resumed by its token ended at once"),
        Ok(Err(status)) => report.violate(format!("a token was refused: {}", client::reason(&status))),
        Err(_) => report.violate("a stream resumed by its token says nothing, not even a bookmark"),
    }
    souk.stop().await?;
    Ok(())
}

fn request(token: &str) -> v1::WatchMetricRequest {
    let watch = v1::WatchOptions { resume_token: token.to_owned(), ..Default::default() };
    v1::WatchMetricRequest {
        queries: vec![follower::newest("active_users", "5m/1m"), follower::total("products", &[])],
        watch: Some(watch),
    }
}

async fn until_the_end(mut frames: Streaming<v1::WatchMetricResponse>) -> End {
    let mut end = End::default();
    let reading = async {
        loop {
            match frames.message().await {
                Ok(Some(frame)) => {
                    let frame = frame.frame.unwrap_or_default();
                    end.token = (frame.kind() == Kind::GoAway).then_some(frame.resume_token);
                }
                Ok(None) => return,
                Err(status) => {
                    end.draining =
                        status.code() == Code::Unavailable && client::reason(&status) == "NODE_DRAINING";
                    return;
                }
            }
        }
    };
    // A stream nobody ends is one that was not told to go.
    timeout(limits::GONE + Duration::from_secs(1), reading).await.ok();
    end
}
