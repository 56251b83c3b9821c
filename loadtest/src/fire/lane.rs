//! A lane under fire: sends each of its batches again, word for word and to whichever node answers, until it is acknowledged, and
//! checks every verdict.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Result, bail};
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;

use super::conductor::{Batch, Conductor};
use crate::limits;
use crate::souk::doors::{self, Doors, Troubles};
use crate::souk::lane::Lane;
use crate::traffic::{Meant, Sent, batch};

/// Batches a stream may have under way.
const AHEAD: usize = 4;

/// How a lane sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Unary(AckLevel),
    Stream,
}

/// What a lane met.
#[derive(Debug, Default)]
pub struct Met {
    pub wrong: Vec<String>,
    /// Sends after the first of a batch.
    pub again: u64,
    /// Events answered DUPLICATE because a server that then died had kept them, unheard.
    pub kept: u64,
    pub troubles: Troubles,
}

impl Met {
    pub fn join(&mut self, other: Self) {
        self.wrong.extend(other.wrong);
        self.again += other.again;
        self.kept += other.kept;
        self.troubles.join(other.troubles);
    }
}

/// Sends through these nodes until the conductor has no more.
pub async fn run(
    addresses: Vec<String>,
    conductor: Arc<Conductor>,
    lane: usize,
    manner: Manner,
) -> Result<Met> {
    let mut met = Met::default();
    let mut doors = Doors::new(&addresses, lane)?;
    match manner {
        Manner::Unary(ack) => unary(&mut doors, &conductor, lane, ack, &mut met).await?,
        Manner::Stream => stream(&mut doors, &conductor, lane, &mut met).await?,
    }
    Ok(met)
}

async fn unary(
    doors: &mut Doors,
    conductor: &Conductor,
    number: usize,
    ack: AckLevel,
    met: &mut Met,
) -> Result<()> {
    while let Some(taken) = conductor.take(number).await {
        let request = batch::publish_request(batch::events(&taken.events), ack, VerdictView::All);
        let answered = doors.publish(&mut met.troubles, request).await?;
        judge(&taken.events, &answered.answer.verdicts, ack, answered.tries > 1, met);
        met.again += u64::from(answered.tries - 1);
        conductor.done(taken);
        doors.turn();
    }
    Ok(())
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
async fn stream(doors: &mut Doors, conductor: &Conductor, number: usize, met: &mut Met) -> Result<()> {
    let mut waiting: VecDeque<Batch> = VecDeque::new();
    let mut over = false;
    for tries in 0.. {
        if tries == limits::TRIES {
            bail!("a stream broke {tries} times");
        }
        let lane = Lane::new(doors.channel());
        over = one_stream(lane, conductor, number, &mut waiting, over, met).await?;
        if over && waiting.is_empty() {
            return Ok(());
        }
        met.again += waiting.len() as u64;
        doors.turn();
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
    let Ok(Ok(mut answers)) = timeout(limits::TRY, lane.stream(ReceiverStream::new(sent))).await else {
        return Ok(over);
    };
    let mut seq = 0;
    for batch in waiting.iter() {
        seq += 1;
        if requests.send(encode(seq, batch)).await.is_err() {
            return Ok(over);
        }
    }
    let (mut acknowledged, mut heard) = (0, Instant::now());
    loop {
        if over && waiting.is_empty() {
            return Ok(true);
        }
        tokio::select! {
            answer = answers.message() => match answer {
                Ok(Some(answer)) if is_ack(&answer) => {
                    acknowledged += 1;
                    heard = Instant::now();
                    let Some(batch) = waiting.pop_front().filter(|_| answer.seq == acknowledged) else {
                        bail!("batch {} was acknowledged where {acknowledged} was due", answer.seq);
                    };
                    judge_counts(&batch.events, &answer, met);
                    conductor.done(batch);
                }
                Ok(Some(_)) => {}
                Err(status) if !doors::passes(&status) => bail!("a stream was refused: {status}"),
                Ok(None) | Err(_) => return Ok(over),
            },
            // Nothing for so long, and something is due: the node stands still.
            () = sleep_until(heard + limits::TRY), if !waiting.is_empty() => return Ok(over),
            batch = conductor.take(number), if !over && waiting.len() < AHEAD => match batch {
                Some(batch) => {
                    seq += 1;
                    let request = encode(seq, &batch);
                    if waiting.is_empty() {
                        heard = Instant::now();
                    }
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
