//! Fills a server with people: so many users with a page view and a session each.

use anyhow::{Context, Result, bail};
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Code;

use crate::limits;
use crate::measure::clock::{self, Millis};
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::souk::shards::Shards;
use crate::traffic::batch;

/// Connections that fill it.
const LANES: usize = 4;

pub fn user(n: u64) -> String {
    format!("crowd-{n}")
}

/// What a touch of one user is.
pub fn event(n: u64, round: u32, at: Millis) -> v1::Event {
    v1::Event {
        event_id: format!("crowd-{round}-{n}"),
        event_time: Some(clock::timestamp(at)),
        user_id: user(n),
        session_id: format!("crowd-s-{n}"),
        kind: Some(Kind::PageView(v1::PageView { page: "/".to_owned(), ..Default::default() })),
        ..Default::default()
    }
}

/// Touches users `0..count` once each and waits until all of it is folded. `round` tells one touch from another.
pub async fn touch(address: &str, count: u64, round: u32) -> Result<()> {
    touch_at(address, count, round, clock::now()).await
}

/// As [`touch`], and all of it happened at this moment.
pub async fn touch_at(address: &str, count: u64, round: u32, at: Millis) -> Result<()> {
    let mut lanes = JoinSet::new();
    for lane in 0..LANES as u64 {
        let mut sender = Lane::new(client::connect(address).await?);
        lanes.spawn(async move {
            let batches = count.div_ceil(limits::BATCH as u64);
            for n in (lane..batches).step_by(LANES) {
                let from = n * limits::BATCH as u64;
                fill(&mut sender, from..(from + limits::BATCH as u64).min(count), round, at).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = lanes.join_next().await {
        done.context("a lane that fills")??;
    }
    let mut admin = client::admin(client::connect(address).await?);
    Shards::wait(&mut admin, "everybody is folded", Shards::settled).await?;
    Ok(())
}

async fn fill(lane: &mut Lane, users: std::ops::Range<u64>, round: u32, at: Millis) -> Result<()> {
    let events = users.map(|n| event(n, round, at)).collect();
    let request = batch::publish_request(events, AckLevel::Logged, VerdictView::Problems);
    for _ in 0..limits::TRIES {
        match lane.publish(request.clone()).await {
            Ok(answer) if answer.counts.unwrap_or_default().rejected() == 0 => return Ok(()),
            Ok(answer) => bail!("events of the crowd were rejected: {:?}", answer.verdicts.first()),
            // No room at the moment.
            Err(status) if status.code() == Code::ResourceExhausted => sleep(limits::POLL).await,
            Err(status) => return Err(status).context("filling the server"),
        }
    }
    bail!("the server found no room for the crowd")
}
