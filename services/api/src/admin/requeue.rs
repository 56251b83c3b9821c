//! RequeueDeadLetter: a mended message goes the way of every event, and the fold judges it anew.

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::Form;
use souk_model::verdict::Reason;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;
use souk_runtime::intake::{Level, Order, Publication};
use souk_runtime::read::ReadOptions;

use crate::error::Checks;
use crate::event::verdict;
use crate::limits::{MESSAGE_BYTES, RECORD_READ_BYTES};
use crate::names::DeadLetterName;
use crate::{ApiError, Call, Context, names};

pub(super) async fn requeue(
    context: &Context,
    call: &Call,
    request: v1::RequeueDeadLetterRequest,
) -> Result<v1::RequeueDeadLetterResponse, ApiError> {
    let mut checks = Checks::default();
    let letter = checks.take(names::dead_letter("name", &request.name));
    if !request.request_id.is_empty() {
        checks.take(names::id("request_id", &request.request_id));
    }
    checks.done()?;
    let unknown = || ApiError::unknown(Reason::ResourceUnknown, &request.name);
    let letter = letter.ok_or_else(unknown)?;
    if !is_kept(context, call, letter).await? {
        return Err(unknown());
    }
    let mut event = if request.replacement.is_empty() {
        original(context, letter).await?
    } else {
        mended(&request.replacement)?
    };
    if event.event_id.is_empty() {
        event.event_id.clone_from(&request.request_id);
    }
    let batch = Publication {
        events: vec![Bytes::from(event.encode_to_vec())],
        shop: call.shop.clone(),
        level: Level::Applied,
        with_ids: true,
        order: Order::default(),
    };
    let published = if request.validate_only {
        context.runtime.validate(batch)?
    } else {
        context.runtime.publish(batch, call.deadline).await?
    };
    let outcome = published.outcomes.into_iter().next();
    Ok(v1::RequeueDeadLetterResponse {
        verdict: outcome.map(|outcome| verdict(format_args!("replacement"), 0, outcome)),
        position: published.position.to_string(),
    })
}

async fn is_kept(context: &Context, call: &Call, letter: DeadLetterName) -> Result<bool, ApiError> {
    let options = ReadOptions { deadline: call.deadline, ..ReadOptions::default() };
    let has = |shard: &souk_model::shard::Shard| shard.dead_letters(None).any(|(id, _)| id == letter.id);
    let (reads, unserved) = context.runtime.shards(letter.shard.journal, &options, has).await?;
    if unserved.contains(&letter.shard) {
        return Err(souk_runtime::Error::ShardMoving { shard: letter.shard }.into());
    }
    Ok(reads.iter().any(|read| read.shard == letter.shard && read.value))
}

/// The event as the journal still has it, whole.
async fn original(context: &Context, letter: DeadLetterName) -> Result<v1::Event, ApiError> {
    let offset = letter.id.position;
    let read = context.runtime.entries(letter.shard, offset, RECORD_READ_BYTES).await?;
    let entry = read.entries.into_iter().find(|entry| entry.offset == offset);
    let entry = entry.ok_or_else(|| {
        let message = "the journal no longer holds it; send a replacement";
        ApiError::refused(Reason::BeyondRetention, message)
            .with("position", format!("{}@{offset}", letter.shard))
    })?;
    if let Form::Foreign(foreign) = &entry.form {
        let read = foreign.read(&entry).map(|event| event.event);
        return read.map_err(|_| ApiError::missing("replacement", "the message tells no event; send one"));
    }
    match journal::Record::decode(entry.bytes).ok().and_then(|record| record.body) {
        Some(Body::Event(record)) => record
            .event
            .ok_or_else(|| ApiError::missing("replacement", "the record holds no event; send one")),
        _ => Err(ApiError::missing("replacement", "the record is no event; only events can be put back")),
    }
}

fn mended(replacement: &[u8]) -> Result<v1::Event, ApiError> {
    if replacement.len() > MESSAGE_BYTES {
        return Err(ApiError::refused(
            Reason::MessageTooLarge,
            format!("an event is at most {MESSAGE_BYTES} bytes"),
        ));
    }
    v1::Event::decode(replacement).map_err(|error| {
        ApiError::field(Reason::PayloadUndecodable, "replacement", format!("is no souk.v1.Event: {error}"))
    })
}
