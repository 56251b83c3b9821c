//! At rest everything is compared: every row of every metric with the recount, as it is answered and as it stands in the tables, and
//! whether ids that were acknowledged are known.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use crate::limits;
use crate::measure::clock::Millis;
use crate::oracle::published::Published;
use crate::oracle::{Oracle, compare};
use crate::souk::client;
use crate::souk::doors::{Doors, Troubles};
use crate::souk::tables::TablesAt;
use crate::traffic::{Sent, batch};

/// How what is answered stands to what is right.
#[derive(Debug, Default)]
pub struct Compared {
    pub differences: Vec<String>,
    pub rows: usize,
    pub settled_after: Duration,
    /// What the last answers said they wait for.
    pub held_by: BTreeSet<String>,
    /// Events that count and are not counted.
    pub lost: i64,
    /// Times an event was counted that had been counted before.
    pub doubled: i64,
}

/// The answers settle within moments; what still differs after that is wrong.
pub async fn compared(oracle: &Oracle, channel: Channel, within: Duration) -> Result<Compared> {
    let must = oracle.rows();
    let mut analytics = client::analytics(channel);
    let begun = Instant::now();
    loop {
        let answered = match compare::all_rows(&mut analytics).await {
            Ok(answered) => answered,
            // Shards may still move.
            Err(_) if begun.elapsed() < within => {
                sleep(limits::POLL).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let differences = must.differences(&answered.rows);
        if differences.is_empty() || begun.elapsed() > within {
            let (lost, doubled) = must.balance(&answered.rows);
            let settled_after = begun.elapsed();
            return Ok(Compared {
                differences,
                rows: must.0.len(),
                settled_after,
                lost,
                doubled,
                held_by: answered.held_by,
            });
        }
        sleep(limits::POLL).await;
    }
}

/// What stands in the tables.
#[derive(Debug, Default)]
pub struct Stands {
    /// A line per row that is not as it must be.
    pub wrong: Vec<String>,
    pub rows: usize,
    pub settled_after: Duration,
}

/// Tables are written behind the answers, those of lists now and then; what still differs after that is wrong. Event time has come as
/// far as `reached` everywhere.
pub async fn stands(oracle: &Oracle, at: &TablesAt, reached: Millis) -> Result<Stands> {
    let must = Published::recounted(&oracle.rows());
    let tables = at.connect().await?;
    let begun = Instant::now();
    loop {
        let is_late = begun.elapsed() > limits::TABLES_SETTLE;
        let wrong = match tables.read().await {
            Ok(found) => must.differences(&found, reached),
            // A server that was killed takes its time to read everything again.
            Err(_) if !is_late => {
                sleep(limits::TABLES_POLL).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if wrong.is_empty() || is_late {
            return Ok(Stands { wrong, rows: must.len(), settled_after: begun.elapsed() });
        }
        sleep(limits::TABLES_POLL).await;
    }
}

/// Sends acknowledged events that count once more: each is known, or it was lost. Answers those that were not known.
pub async fn unknown(doors: &mut Doors, ledger: &[Sent]) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for events in ledger.chunks(limits::BATCH / 4) {
        let request = batch::publish_request(batch::events(events), AckLevel::Applied, VerdictView::All);
        let answered = doors.publish(&mut Troubles::default(), request).await?;
        for verdict in &answered.answer.verdicts {
            if verdict.outcome() != Outcome::Duplicate {
                unknown.push(told(verdict));
            }
        }
    }
    Ok(unknown)
}

fn told(verdict: &v1::EventVerdict) -> String {
    format!("acknowledged event {} is {:?} when it comes again", verdict.event_id, verdict.outcome())
}
