//! QueryMetrics: batches of queries, answered in order. One that fails has its error in its place, and the stream goes on.

use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use souk_model::verdict::Reason;
use souk_proto::grpc::encoded::Encoded;
use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;
use souk_proto::wire;
use souk_proto::wire::field::QUERY_METRICS_RESPONSE_ANSWERS;
use souk_runtime::Error;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::query;
use crate::limits::{BATCH_ANSWER_BYTES, BOOKMARK_EVERY, QUERIES_PER_BATCH, RETRY_AFTER, STREAM_FRAMES};
use crate::read_options::ReadCall;
use crate::status;
use crate::status::{reason_name, refused_of};
use crate::{ApiError, Call, Context};

type Answers = ReceiverStream<Result<Encoded, Status>>;

pub(super) fn answers(context: Context, call: Call, batches: Streaming<v1::QueryMetricsRequest>) -> Answers {
    let (out, answers) = mpsc::channel(STREAM_FRAMES);
    tokio::spawn(async move {
        // An error is the stream's last item; a reader that is gone gets none.
        if let Err(error) = each(&context, &call, batches, &out).await {
            let _gone = out.send(Err(error)).await;
        }
    });
    ReceiverStream::new(answers)
}

async fn each(
    context: &Context,
    call: &Call,
    mut batches: Streaming<v1::QueryMetricsRequest>,
    out: &mpsc::Sender<Result<Encoded, Status>>,
) -> Result<(), Status> {
    let gone = |_| Status::cancelled("the reader is gone");
    loop {
        let next = tokio::select! {
            () = context.drain.cancelled() => {
                let (kind, retry_after) = (Kind::GoAway.into(), duration(RETRY_AFTER));
                let away = framed(v1::StreamFrame { kind, retry_after, ..v1::StreamFrame::default() });
                out.send(Ok(alone(&away))).await.map_err(gone)?;
                return Err(ApiError::Runtime(Error::Draining).into());
            }
            next = timeout(BOOKMARK_EVERY, batches.message()) => next,
        };
        let answer = match next {
            Err(_) => alone(&frame(Kind::Bookmark)),
            Ok(Err(broken)) => return Err(status::adopt(broken)),
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(batch))) => answer(context, call, batch).await?,
        };
        out.send(Ok(answer)).await.map_err(gone)?;
    }
}

async fn answer(context: &Context, call: &Call, batch: v1::QueryMetricsRequest) -> Result<Encoded, ApiError> {
    let v1::QueryMetricsRequest { seq, queries, read } = batch;
    if queries.len() > QUERIES_PER_BATCH {
        return Err(ApiError::too_many("queries", queries.len(), QUERIES_PER_BATCH));
    }
    let read = ReadCall::of(read.as_ref(), call)?;
    let mut answers = Batch::default();
    for request in &queries {
        answers.add(context, call, request, &read).await;
    }
    let head = v1::QueryMetricsResponse { seq, ..frame(Kind::Delta) };
    Ok(Encoded::new(&head, answers.bytes.into()))
}

/// The answers of one batch, as the bytes they go out as.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    one: Vec<u8>,
}

impl Batch {
    async fn add(
        &mut self,
        context: &Context,
        call: &Call,
        request: &v1::QueryMetricRequest,
        read: &ReadCall,
    ) {
        self.one.clear();
        let found = query::answer_into(context, call, request, read, &mut self.one).await;
        let fits = self.bytes.len() + self.one.len() <= BATCH_ANSWER_BYTES;
        if let Err(error) = found.and_then(|()| if fits { Ok(()) } else { Err(too_large()) }) {
            self.one.clear();
            let failed = v1::QueryMetricResponse { error: Some(in_place(error)), ..Default::default() };
            failed.encode_raw(&mut self.one);
        }
        wire::message(&mut self.bytes, QUERY_METRICS_RESPONSE_ANSWERS, |out| {
            out.extend_from_slice(&self.one)
        });
    }
}

fn too_large() -> ApiError {
    ApiError::refused(Reason::MessageTooLarge, "the answers before it fill the batch; ask in a smaller one")
}

fn in_place(error: ApiError) -> v1::QueryError {
    let refused = refused_of(error);
    v1::QueryError {
        reason: reason_name(refused.reason).to_owned(),
        field: refused.fields.into_iter().next().map(|field| field.path).unwrap_or_default(),
        message: refused.message,
    }
}

fn frame(kind: Kind) -> v1::QueryMetricsResponse {
    framed(v1::StreamFrame { kind: kind.into(), ..v1::StreamFrame::default() })
}

fn framed(frame: v1::StreamFrame) -> v1::QueryMetricsResponse {
    v1::QueryMetricsResponse { frame: Some(frame), ..v1::QueryMetricsResponse::default() }
}

fn alone(response: &v1::QueryMetricsResponse) -> Encoded {
    Encoded::new(response, Bytes::new())
}

fn duration(duration: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(duration).ok()
}
