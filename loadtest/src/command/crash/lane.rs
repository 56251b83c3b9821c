//! A lane under fire: sends each of its batches again, word for word, until it is acknowledged, and checks every verdict.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Result, bail};
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::conductor::{Batch, Conductor};
use crate::limits;
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::traffic::{Meant, Sent, batch};

/// Batches a stream may have under way.
const AHEAD: usize = 4;

/// How a lane sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Unary(AckLevel),
    Stream,
}

/// What a lane met.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) wrong: Vec<String>,
    /// Sends after the first of a batch.
    pub(super) again: u64,
    /// Events answered DUPLICATE because the crashed server had kept them, unheard.
    pub(super) kept: u64,
}

impl Met {
    pub(super) fn join(&mut self, other: Self) {
        self.wrong.extend(other.wrong);
        self.again += other.again;
        self.kept += other.kept;
    }
}

pub(super) async fn run(
    address: String,
    conductor: Arc<Conductor>,
    lane: usize,
    manner: Manner,
) -> Result<Met> {
    let mut met = Met::default();
    match manner {
        Manner::Unary(ack) => unary(&address, &conductor, lane, ack, &mut met).await?,
        Manner::Stream => stream(&address, &conductor, lane, &mut met).await?,
    }
    Ok(met)
}

async fn unary(
    address: &str,
    conductor: &Conductor,
    number: usize,
    ack: AckLevel,
    met: &mut Met,
) -> Result<()> {
    let mut lane = None;
    while let Some(taken) = conductor.take(number).await {
        let request = batch::publish_request(batch::events(&taken.events), ack, VerdictView::All);
        for tries in 0.. {
            if tries == limits::TRIES {
                bail!("a batch was refused {tries} times");
            }
            if lane.is_none() {
                lane = client::connect(address).await.ok().map(Lane::new);
            }
            let Some(open) = &mut lane else {
                sleep(limits::RECONNECT).await;
                continue;
            };
            match timeout(limits::CALL, open.publish(request.clone())).await {
                Ok(Ok(answer)) => {
                    judge(&taken.events, &answer.verdicts, ack, tries > 0, met);
                    break;
                }
                Ok(Err(status)) if !passes(&status) => bail!("a batch was refused: {status}"),
                _ => lane = None,
            }
            met.again += 1;
            sleep(limits::RECONNECT).await;
        }
        conductor.done(&taken);
    }
    Ok(())
}

/// Whether the same call may go through later.
fn passes(status: &Status) -> bool {
    use tonic::Code;
    !matches!(status.code(), Code::InvalidArgument | Code::NotFound | Code::Unimplemented | Code::Internal)
}

/// Every verdict is what was meant. After an unheard answer what counted then is a duplicate now.
fn judge(events: &[Sent], verdicts: &[v1::EventVerdict], ack: AckLevel, again: bool, met: &mut Met) {
    if events.len() != verdicts.len() {
        met.wrong.push(format!("{} verdicts for {} events", verdicts.len(), events.len()));
    }
    for (sent, verdict) in events.iter().zip(verdicts) {
        let is = verdict.outcome();
        let right = match (sent.meant, ack) {
            (Meant::Rejected, _) => is == Outcome::Rejected,
            (_, AckLevel::Logged | AckLevel::Unspecified) => is == Outcome::Accepted,
            (Meant::Counted, AckLevel::Applied) => {
                met.kept += u64::from(again && is == Outcome::Duplicate);
                is == Outcome::Counted || (again && is == Outcome::Duplicate)
            }
            (Meant::Duplicate, AckLevel::Applied) => is == Outcome::Duplicate,
            (Meant::Late, AckLevel::Applied) => is == Outcome::Late,
        };
        if !right {
            let id = &sent.event.event_id;
            met.wrong.push(format!("event {id}, meant to be {:?}, is {is:?} {}", sent.meant, verdict.reason));
        }
    }
}

/// Sends ahead on one stream; when it breaks, what was not acknowledged goes first on the next.
async fn stream(address: &str, conductor: &Conductor, number: usize, met: &mut Met) -> Result<()> {
    let mut waiting: VecDeque<Batch> = VecDeque::new();
    let mut over = false;
    for tries in 0.. {
        if tries == limits::TRIES {
            bail!("a stream broke {tries} times");
        }
        if let Ok(channel) = client::connect(address).await {
            over = one_stream(Lane::new(channel), conductor, number, &mut waiting, over, met).await?;
            if over && waiting.is_empty() {
                return Ok(());
            }
        }
        met.again += waiting.len() as u64;
        sleep(limits::RECONNECT).await;
    }
    Ok(())
}

/// One stream until it breaks or all is acknowledged. Answers whether the conductor has no more.
async fn one_stream(
    mut lane: Lane,
    conductor: &Conductor,
    number: usize,
    waiting: &mut VecDeque<Batch>,
    mut over: bool,
    met: &mut Met,
) -> Result<bool> {
    let (requests, sent) = mpsc::channel(AHEAD + 1);
    let Ok(Ok(mut answers)) = timeout(limits::CALL, lane.stream(ReceiverStream::new(sent))).await else {
        return Ok(over);
    };
    let mut seq = 0;
    for batch in waiting.iter() {
        seq += 1;
        if requests.send(encode(seq, batch)).await.is_err() {
            return Ok(over);
        }
    }
    let mut acknowledged = 0;
    loop {
        if over && waiting.is_empty() {
            return Ok(true);
        }
        tokio::select! {
            answer = answers.message() => match answer {
                Ok(Some(answer)) if is_ack(&answer) => {
                    acknowledged += 1;
                    let Some(batch) = waiting.pop_front().filter(|_| answer.seq == acknowledged) else {
                        bail!("batch {} was acknowledged where {acknowledged} was due", answer.seq);
                    };
                    judge_counts(&batch.events, &answer, met);
                    conductor.done(&batch);
                }
                Ok(Some(_)) => {}
                Err(status) if !passes(&status) => bail!("a stream was refused: {status}"),
                Ok(None) | Err(_) => return Ok(over),
            },
            batch = conductor.take(number), if !over && waiting.len() < AHEAD => match batch {
                Some(batch) => {
                    seq += 1;
                    let request = encode(seq, &batch);
                    waiting.push_back(batch);
                    if requests.send(request).await.is_err() {
                        return Ok(over);
                    }
                }
                None => over = true,
            },
        }
    }
}

fn encode(seq: i64, taken: &Batch) -> bytes::Bytes {
    batch::stream_request(seq, batch::events(&taken.events), AckLevel::Logged)
}

fn is_ack(answer: &v1::StreamEventsResponse) -> bool {
    answer.frame.as_ref().is_none_or(|frame| frame.kind() == v1::stream_frame::Kind::Delta)
}

fn judge_counts(events: &[Sent], answer: &v1::StreamEventsResponse, met: &mut Met) {
    let rejected = events.iter().filter(|sent| sent.meant == Meant::Rejected).count() as i32;
    let accepted = events.len() as i32 - rejected;
    let counts = answer.counts.unwrap_or_default();
    if (counts.accepted(), counts.rejected()) != (accepted, rejected) {
        met.wrong.push(format!("{counts:?} for {accepted} good and {rejected} bad events"));
    }
}
