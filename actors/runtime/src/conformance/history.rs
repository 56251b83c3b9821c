//! The port of the history, as questions to an implementation: `read` gives the rows of a table, columns in the order of its key and values.

use std::sync::Arc;

use souk_model::journal::ShardId;
use souk_model::view::{Column, Datum, Kind, Table};

use crate::ports::{History, HistoryPlace, HistoryRow};

/// Rows of one write far above what goes in one batch.
const MANY: u64 = 2_000;

pub async fn suite(history: &impl History, read: impl AsyncFn(&Table) -> Vec<Vec<Datum>>) {
    let (told, other) = (table("told"), table("told_too"));
    for _ in 0..2 {
        let may = history.declare(vec![Arc::clone(&told), Arc::clone(&other)]).await.expect("it answers");
        assert_eq!(may, ["told", "told_too"].map(str::to_owned).into());
    }
    a_record_stands_once_and_the_first_stays(history, &told, &read).await;
    many_rows_are_written(history, &other, &read).await;
    how_far_it_is_kept_never_goes_back(history).await;
    history.write(Vec::new()).await.expect("nothing is soon written");
}

fn table(name: &str) -> Arc<Table> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    Arc::new(Table {
        name: name.to_owned(),
        partition: vec![column("event_id", Kind::Text)],
        clustering: vec![column("shop", Kind::Text)],
        values: vec![
            column("kind", Kind::Text),
            column("event_time", Kind::Time),
            column("amount", Kind::Integer),
        ],
    })
}

fn text(value: &str) -> Datum {
    Datum::Text(value.to_owned())
}

fn row(table: &Arc<Table>, id: &str, shop: &str, offset: u64) -> HistoryRow {
    let at = i64::try_from(offset).expect("small");
    let told = text("it's \"quoted\" ü");
    let values = vec![text(id), text(shop), told, Datum::Time(at), Datum::Integer(-at)];
    HistoryRow { table: Arc::clone(table), values, offset }
}

async fn a_record_stands_once_and_the_first_stays(
    history: &impl History,
    table: &Arc<Table>,
    read: &impl AsyncFn(&Table) -> Vec<Vec<Datum>>,
) {
    for order in [[4, 7, 9], [9, 7, 4], [7, 4, 4]] {
        let id = format!("e-{order:?}");
        for offset in order {
            history.write(vec![row(table, &id, "main", offset)]).await.expect("it answers");
        }
    }
    // Within one write too; another shop's is another.
    let some = vec![row(table, "e-2", "main", 8), row(table, "e-2", "main", 4), row(table, "e-2", "east", 4)];
    history.write(some).await.expect("it answers");
    let rows = read(table).await;
    assert_eq!(rows.len(), 5, "{rows:?}");
    for found in rows {
        assert_eq!(found[2..], [text("it's \"quoted\" ü"), Datum::Time(4), Datum::Integer(-4)], "{found:?}");
    }
}

async fn many_rows_are_written(
    history: &impl History,
    table: &Arc<Table>,
    read: &impl AsyncFn(&Table) -> Vec<Vec<Datum>>,
) {
    let many = (0..MANY).map(|n| row(table, &format!("e-{n}"), "main", 2 * n + 1)).collect();
    history.write(many).await.expect("it answers");
    let rows = read(table).await;
    assert_eq!(rows.len(), MANY as usize);
    for found in rows {
        let Datum::Time(at) = found[3] else { panic!("{found:?}") };
        assert_eq!((&found[0], &found[4]), (&text(&format!("e-{}", (at - 1) / 2)), &Datum::Integer(-at)));
    }
}

async fn how_far_it_is_kept_never_goes_back(history: &impl History) {
    let place = |table: &str, shard, topic_id| HistoryPlace { table: table.to_owned(), shard, topic_id };
    let here = place("told", ShardId::users(3), u64::MAX);
    let others = [
        place("told_too", ShardId::users(3), u64::MAX),
        place("told", ShardId::users(4), u64::MAX),
        place("told", ShardId::users(3), 1),
    ];
    assert_eq!(history.kept(&here).await, Ok(0));
    for (upto, stands) in [(5, 5), (9, 9), (7, 9), (9, 9)] {
        history.keep(&here, upto).await.expect("it answers");
        assert_eq!(history.kept(&here).await, Ok(stands));
    }
    for other in others {
        assert_eq!(history.kept(&other).await, Ok(0), "{other:?}");
    }
}
