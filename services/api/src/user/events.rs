//! ListUserEvents: the journal read backwards from where the shard stands. A shard's records are those of many users, so a page looks
//! at a bounded number of them: it may come back with few events or none, and a token to look on with.

use souk_model::journal::{Entry, ShardId};
use souk_model::key::ActorKey;
use souk_model::record::{self, Record, kind_name};
use souk_model::shard::Decoded;
use souk_proto::journal::v1::command::Action;
use souk_proto::v1;

use crate::filter::{Field, Filter, Kind, Value};
use crate::limits::{SCAN_BYTES, SCAN_CHUNK, SCAN_RECORDS};
use crate::page::{self, Page};
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context, names};

const FIELDS: [Field; 5] = [
    Field::new("kind", Kind::Text),
    Field::new("event_id", Kind::Text),
    Field::new("session_id", Kind::Text),
    Field::new("device_id", Kind::Text),
    Field::new("source", Kind::Text),
];

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListUserEventsRequest,
) -> Result<v1::ListUserEventsResponse, ApiError> {
    let user = names::user("parent", &request.parent)?;
    let filter = Filter::parse(&request.filter, &FIELDS)?;
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let page = Page::of(request)?;
    let key = ActorKey::new(&call.shop, user);
    let standing = context.runtime.user(&key, &read.options, |_, _| ()).await?;
    let before = match &page.cursor {
        Some(bytes) => offset_of(bytes).ok_or_else(page::mismatch)?,
        None => standing.now.offset.saturating_add(1),
    };
    let mut scan = Scan { key: &key, filter: &filter, most: page.size, found: Vec::new(), before };
    let looked_on = look_back(context, standing.shard, &mut scan).await?;
    let info = read.info(&standing);
    Ok(v1::ListUserEventsResponse {
        events: scan.found,
        next_page_token: if looked_on { page.token(&scan.before.to_be_bytes()) } else { String::new() },
        unreachable: Vec::new(),
        info: Some(info),
    })
}

fn offset_of(cursor: &[u8]) -> Option<u64> {
    cursor.try_into().ok().map(u64::from_be_bytes)
}

/// A page on its way back through a shard.
struct Scan<'a> {
    key: &'a ActorKey,
    filter: &'a Filter,
    most: usize,
    /// Newest first.
    found: Vec<v1::Event>,
    /// Everything from here on was looked at.
    before: u64,
}

/// Looks back until the page is full, its bound of records is reached, or there is nothing older. Whether something older may be there.
async fn look_back(context: &Context, shard: ShardId, scan: &mut Scan<'_>) -> Result<bool, ApiError> {
    let mut looked = 0;
    while scan.before > 1 && looked < SCAN_RECORDS {
        let from = scan.before.saturating_sub(SCAN_CHUNK).max(1);
        looked += scan.before - from;
        let entries = entries_between(context, shard, from, scan.before).await?;
        // What is older than the first entry there is was taken by retention.
        let is_oldest = entries.first().is_none_or(|entry| entry.offset > from);
        match scan.take(&entries) {
            Taken::Full => return Ok(scan.before > 1),
            Taken::Erased => return Ok(false),
            Taken::All if is_oldest => return Ok(false),
            Taken::All => scan.before = from,
        }
    }
    Ok(scan.before > 1)
}

/// Every entry from `from` on and before `before`.
async fn entries_between(
    context: &Context,
    shard: ShardId,
    mut from: u64,
    before: u64,
) -> Result<Vec<Entry>, ApiError> {
    let mut between = Vec::new();
    while from < before {
        let read = context.runtime.entries(shard, from, SCAN_BYTES).await?.entries;
        let Some(last) = read.last() else { break };
        from = last.offset + 1;
        between.extend(read.into_iter().filter(|entry| entry.offset < before));
    }
    Ok(between)
}

/// What came of a run of entries.
#[derive(Debug, PartialEq)]
enum Taken {
    /// All were looked at.
    All,
    /// The page is full.
    Full,
    /// The user was erased: what is older is nobody's.
    Erased,
}

impl Scan<'_> {
    /// Looks at entries, the newest first.
    fn take(&mut self, entries: &[Entry]) -> Taken {
        for entry in entries.iter().rev() {
            if self.found.len() == self.most {
                return Taken::Full;
            }
            self.before = entry.offset;
            match Decoded::of(entry).record {
                Ok(Record::Event(event))
                    if is_of(&event, self.key)
                        && self.filter.holds(|field| value_of(&event.event, field)) =>
                {
                    self.found.push(event.event);
                }
                Ok(Record::Command(command))
                    if command.key == *self.key
                        && matches!(command.command.action, Some(Action::EraseUser(_))) =>
                {
                    return Taken::Erased;
                }
                _ => {}
            }
        }
        Taken::All
    }
}

/// Whether an event is this user's.
pub(super) fn is_of(event: &record::Event, key: &ActorKey) -> bool {
    !event.keyless && event.key == *key
}

fn value_of<'a>(event: &'a v1::Event, field: &str) -> Value<'a> {
    let text = match field {
        "kind" => event.kind.as_ref().map_or("", kind_name),
        "event_id" => &event.event_id,
        "session_id" => &event.session_id,
        "device_id" => &event.device_id,
        "source" => &event.source,
        _ => "",
    };
    if text.is_empty() { Value::Absent } else { Value::Text(text) }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use souk_proto::journal::v1 as journal;
    use souk_proto::journal::v1::record::Body;
    use souk_proto::v1::event::Kind as Reported;

    use super::*;

    fn entry(offset: u64, body: Body) -> Entry {
        let bytes = journal::Record { body: Some(body) }.encode_to_vec().into();
        Entry::new(offset, 0, bytes)
    }

    fn view(offset: u64, user: &str) -> Entry {
        let view = v1::PageView { page: "/".into(), ..Default::default() };
        let event = v1::Event {
            event_id: format!("e-{offset}"),
            user_id: user.into(),
            kind: Some(Reported::PageView(view)),
            ..Default::default()
        };
        entry(offset, Body::Event(journal::EventRecord { event: Some(event), ..Default::default() }))
    }

    fn erase(offset: u64, user: &str) -> Entry {
        let action = Some(Action::EraseUser(journal::EraseUser { salt: vec![0; 16] }));
        let command =
            journal::Command { shop: "main".into(), actor_id: user.into(), action, ..Default::default() };
        entry(offset, Body::Command(command))
    }

    fn take(entries: &[Entry], filter: &str, most: usize) -> (Taken, Vec<String>, u64) {
        let key = ActorKey::new("main", "alice");
        let filter = Filter::parse(filter, &FIELDS).unwrap();
        let mut scan = Scan { key: &key, filter: &filter, most, found: Vec::new(), before: 100 };
        let taken = scan.take(entries);
        (taken, scan.found.into_iter().map(|event| event.event_id).collect(), scan.before)
    }

    #[test]
    fn a_page_is_the_users_own_events_newest_first() {
        let entries = [view(1, "alice"), view(2, "bob"), view(3, "alice"), view(4, "alice")];
        assert_eq!(take(&entries, "", 9), (Taken::All, vec!["e-4".into(), "e-3".into(), "e-1".into()], 1));
        assert_eq!(take(&entries, "", 2), (Taken::Full, vec!["e-4".into(), "e-3".into()], 3));
        assert_eq!(take(&entries, "event_id = \"e-3\"", 9).1, ["e-3"]);
        assert_eq!(take(&entries, "kind != page_view", 9).1, Vec::<String>::new());
    }

    #[test]
    fn nothing_from_before_an_erase_is_shown() {
        let entries =
            [view(1, "alice"), erase(2, "bob"), view(3, "alice"), erase(4, "alice"), view(5, "alice")];
        assert_eq!(take(&entries, "", 9), (Taken::Erased, vec!["e-5".into()], 4));
    }
}
