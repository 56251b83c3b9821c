//! ListDeadLetters: what could not be taken, over all shards, newest first.

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::ring::RingId;
use souk_model::shard::{DeadLetter, Shard};
use souk_model::time::{Millis, to_timestamp};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;
use souk_runtime::read::Read;

use crate::filter::{Field, Filter, Kind, Value};
use crate::names::DeadLetterName;
use crate::page::{self, Page};
use crate::read_options::ReadCall;
use crate::status::reason_name;
use crate::{ApiError, Call, Context, names};

const FIELDS: [Field; 3] =
    [Field::new("error_type", Kind::Text), Field::new("source", Kind::Text), Field::new("name", Kind::Text)];

/// The part that sets messages aside: intake answers its callers, and bridges ask the fold.
const COMPONENT: &str = "fold";

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListDeadLettersRequest,
) -> Result<v1::ListDeadLettersResponse, ApiError> {
    let page = Page::of(request)?;
    let filter = Filter::parse(&request.filter, &FIELDS)?;
    let after = match page.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(Place::read(cursor).ok_or_else(page::mismatch)?),
    };
    let asked = ReadCall::of(None, call)?;
    let mut letters: Vec<(Place, v1::DeadLetter)> = Vec::new();
    let (mut reached, mut unreachable) = (Vec::new(), Vec::new());
    for journal in [Journal::Users, Journal::Products] {
        let (reads, unserved) = context.runtime.shards(journal, &asked.options, kept).await?;
        for read in reads {
            let Read { value: kept, shard, now, origin } = read;
            letters.extend(kept.into_iter().map(|(id, letter)| render(shard, id, letter)));
            reached.push(Read { value: (), shard, now, origin });
        }
        unreachable.extend(unserved);
    }
    letters.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let rows = letters.into_iter().filter(|(place, _)| after.is_none_or(|after| *place < after));
    let rows = rows.filter(|(_, row)| filter.holds(|field| value(row, field)));
    let (rows, next_page_token) = page.cut(rows, |(place, _)| place.write());
    Ok(v1::ListDeadLettersResponse {
        dead_letters: rows.into_iter().map(|(_, row)| row).collect(),
        next_page_token,
        info: Some(asked.info_of_list(&reached, &unreachable)),
        unreachable: unreachable.into_iter().map(names::of_shard).collect(),
    })
}

/// What a shard keeps: at most its ring.
fn kept(shard: &Shard) -> Vec<(RingId, DeadLetter)> {
    shard.dead_letters(None).map(|(id, letter)| (id, letter.clone())).collect()
}

/// Where a letter stands among all: by time, then by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time: Millis,
    shard: ShardId,
    id: RingId,
}

impl Place {
    fn write(self) -> Vec<u8> {
        let name = names::of_dead_letter(DeadLetterName { shard: self.shard, id: self.id });
        format!("{}/{name}", self.time).into_bytes()
    }

    fn read(cursor: &[u8]) -> Option<Self> {
        let (time, name) = std::str::from_utf8(cursor).ok()?.split_once('/')?;
        let DeadLetterName { shard, id } = names::dead_letter("page_token", name).ok()?;
        Some(Self { time: time.parse().ok()?, shard, id })
    }
}

fn render(shard: ShardId, id: RingId, letter: DeadLetter) -> (Place, v1::DeadLetter) {
    let DeadLetter { refusal, time, original } = letter;
    let error_reason = match refusal.field.as_ref() {
        "" => refusal.message.into_owned(),
        field => format!("{field}: {}", refusal.message),
    };
    let row = v1::DeadLetter {
        name: names::of_dead_letter(DeadLetterName { shard, id }),
        source: source(&original),
        error_type: reason_name(refusal.reason).to_owned(),
        error_reason,
        time: Some(to_timestamp(time)),
        processing_component: COMPONENT.to_owned(),
        original_message: original,
    };
    (Place { time, shard, id }, row)
}

/// The source its event named, where what is kept of the record can still be read.
fn source(original: &[u8]) -> String {
    match journal::Record::decode(original).ok().and_then(|record| record.body) {
        Some(Body::Event(record)) => record.event.map(|event| event.source).unwrap_or_default(),
        _ => String::new(),
    }
}

fn value<'a>(row: &'a v1::DeadLetter, field: &str) -> Value<'a> {
    let text = match field {
        "error_type" => &row.error_type,
        "source" => &row.source,
        _ => &row.name,
    };
    if text.is_empty() { Value::Absent } else { Value::Text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_orders_by_time() {
        let place = |time, n| Place { time, shard: ShardId::products(3), id: RingId { position: 7, n } };
        assert_eq!(Place::read(&place(-5, 2).write()), Some(place(-5, 2)));
        assert!(place(1, 9) < place(2, 0));
        assert_eq!(Place::read(b"x"), None);
    }
}
