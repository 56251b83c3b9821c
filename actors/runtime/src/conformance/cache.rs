//! The port of a cache, as questions to an implementation: `read` gives what stands under a name, `empty` takes everything away.

use std::collections::BTreeMap;

use souk_model::view::{Command, LIST_NEWEST, Order, What};

use crate::ports::{Cache, Held};

/// What stands under a name.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    Text(String),
    Hash(BTreeMap<String, String>),
    /// Greatest first.
    SortedSet(Vec<(String, f64)>),
    /// Newest first.
    List(Vec<String>),
    /// An answer: bytes that are no text.
    Answer(Vec<u8>),
}

pub async fn suite(cache: &impl Cache, read: impl AsyncFn(&str) -> Option<Stored>, empty: impl AsyncFn()) {
    assert_eq!(cache.write(vec![]).await, Ok(Held::Nothing), "nobody has written to it yet");
    assert_eq!(cache.write(vec![]).await, Ok(Held::All));
    the_newest_stays(cache, &read).await;
    what_is_whole_is_replaced_whole(cache, &read).await;
    a_list_keeps_each_row_once_and_the_newest_of_all(cache, &read).await;
    many_commands_are_carried_out(cache, &read).await;
    an_answer_is_read_as_it_was_written_and_the_newest_stays(cache).await;
    an_emptied_cache_is_noticed_and_takes_everything_again(cache, &read, &empty).await;
}

fn command(name: &str, what: What, start: i64, revision: u64) -> Command {
    Command { name: name.to_owned(), what, order: Order { start, revision }, ttl: None }
}

fn word(value: &str) -> What {
    What::Text { value: value.to_owned() }
}

fn field(field: &str, value: &str) -> What {
    What::Field { field: field.to_owned(), value: value.to_owned() }
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn wrote(cache: &impl Cache, commands: Vec<Command>) {
    assert_eq!(cache.write(commands).await, Ok(Held::All));
}

async fn the_newest_stays(cache: &impl Cache, read: &impl AsyncFn(&str) -> Option<Stored>) {
    // A later window beats any revision of an earlier one.
    let orders = [(60_000, 9), (120_000, 2), (60_000, 10), (120_000, 1), (120_000, 2)];
    for (n, (start, revision)) in orders.into_iter().enumerate() {
        let value = n.to_string();
        let both = vec![
            command("t:word", word(&value), start, revision),
            command("t:hash", field("f", &value), start, revision),
        ];
        wrote(cache, both).await;
    }
    wrote(cache, vec![command("t:hash", field("g", "other"), 1, 1)]).await;
    assert_eq!(read("t:word").await, Some(Stored::Text("1".to_owned())));
    let fields = pairs(&[("f", "1"), ("g", "other")]).into_iter().collect();
    assert_eq!(read("t:hash").await, Some(Stored::Hash(fields)), "each field has an order of its own");
    let same = vec![command("t:both", word("b"), 1, 2), command("t:both", word("a"), 1, 1)];
    wrote(cache, same).await;
    assert_eq!(read("t:both").await, Some(Stored::Text("b".to_owned())));
    assert!(cache.figures().outdated >= 6 && cache.figures().commands >= 13, "{:?}", cache.figures());
}

async fn what_is_whole_is_replaced_whole(cache: &impl Cache, read: &impl AsyncFn(&str) -> Option<Stored>) {
    let hash = |fields: &[(&str, &str)]| What::Hash { fields: pairs(fields) };
    wrote(cache, vec![command("t:whole", hash(&[("a", "1"), ("b", "2")]), 1, 1)]).await;
    wrote(cache, vec![command("t:whole", hash(&[("b", "3")]), 1, 2)]).await;
    wrote(cache, vec![command("t:whole", hash(&[("a", "old")]), 1, 1)]).await;
    assert_eq!(read("t:whole").await, Some(Stored::Hash(pairs(&[("b", "3")]).into_iter().collect())));
    let set = |members: &[(&str, f64)]| What::SortedSet {
        members: members.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect(),
    };
    wrote(cache, vec![command("t:set", set(&[("a", 1.0), ("b", 2.5)]), 1, 1)]).await;
    wrote(cache, vec![command("t:set", set(&[("c", -3.0), ("b", 1e15)]), 1, 2)]).await;
    let members = vec![("b".to_owned(), 1e15), ("c".to_owned(), -3.0)];
    assert_eq!(read("t:set").await, Some(Stored::SortedSet(members)));
}

async fn a_list_keeps_each_row_once_and_the_newest_of_all(
    cache: &impl Cache,
    read: &impl AsyncFn(&str) -> Option<Stored>,
) {
    let push = |of: &str, row: &str, revision| {
        command("t:list", What::Push { of: of.to_owned(), row: row.to_owned() }, 1, revision)
    };
    wrote(cache, vec![push("a", "a1", 1), push("b", "b1", 1), push("a", "a1", 1), push("a", "a2", 2)]).await;
    let rows = ["a2", "b1", "a1"].map(str::to_owned).to_vec();
    assert_eq!(read("t:list").await, Some(Stored::List(rows)));
    wrote(cache, (0..LIST_NEWEST as u64 + 5).map(|n| push("c", &format!("c{n}"), n + 1)).collect()).await;
    let Some(Stored::List(rows)) = read("t:list").await else { panic!("the list is gone") };
    assert_eq!((rows.len(), rows[0].as_str()), (LIST_NEWEST, format!("c{}", LIST_NEWEST + 4).as_str()));
}

async fn an_answer_is_read_as_it_was_written_and_the_newest_stays(cache: &impl Cache) {
    let bytes: Vec<u8> = (0..=255).rev().collect();
    let answer =
        |bytes: &[u8], revision| command("t:answer", What::Answer { bytes: bytes.to_vec() }, 1, revision);
    assert_eq!(cache.read("t:answer").await, Ok(None));
    wrote(cache, vec![answer(b"older", 3), answer(&bytes, 5), answer(b"late", 4), answer(b"again", 5)]).await;
    assert_eq!(cache.read("t:answer").await, Ok(Some(bytes)));
    wrote(cache, vec![answer(b"", 6)]).await;
    assert_eq!(cache.read("t:answer").await, Ok(Some(Vec::new())));
    assert_eq!(cache.read("t:set").await, Ok(None), "it is no answer");
    assert_eq!(cache.read("t:no such name").await, Ok(None));
}

async fn many_commands_are_carried_out(cache: &impl Cache, read: &impl AsyncFn(&str) -> Option<Stored>) {
    let name = |n: u64| format!("t:many:{n}");
    wrote(cache, (0..2_000).map(|n| command(&name(n), word(&n.to_string()), 1, n + 1)).collect()).await;
    for n in [0, 999, 1_999] {
        assert_eq!(read(&name(n)).await, Some(Stored::Text(n.to_string())));
    }
    let odd = "t:\"{odd}\" \u{1f}";
    wrote(cache, vec![command(odd, word("{}"), 1, 1), command(odd, word("x"), 1, 1)]).await;
    assert_eq!(read(odd).await, Some(Stored::Text("{}".to_owned())));
}

async fn an_emptied_cache_is_noticed_and_takes_everything_again(
    cache: &impl Cache,
    read: &impl AsyncFn(&str) -> Option<Stored>,
    empty: &impl AsyncFn(),
) {
    empty().await;
    assert_eq!(read("t:word").await, None);
    assert_eq!(cache.read("t:answer").await, Ok(None));
    let again = vec![command("t:word", word("again"), 1, 1)];
    assert_eq!(cache.write(again).await, Ok(Held::Nothing));
    assert_eq!(read("t:word").await, Some(Stored::Text("again".to_owned())), "nothing newer is there");
    assert_eq!(cache.write(vec![]).await, Ok(Held::All));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::memory::{MemoryCache, MemoryTables};
    use crate::conformance::tables;

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        let cache = MemoryCache::default();
        suite(&cache, async |name| cache.stored(name), async || cache.empty()).await;
        let rows = MemoryTables::default();
        tables::suite(&rows, async |shape| rows.rows(&shape.table.name)).await;
    }
}
