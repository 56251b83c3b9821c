//! What is shown: rows of the watched metrics as they arrive, and where the shards stand.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::output::cell::{grouped, money};
use crate::output::metric;

/// The watched queries; a row says by its place which one it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    Events,
    People,
    Visits,
    Products,
    Referrers,
    Carts,
}

const QUERIES: [Query; 6] =
    [Query::Events, Query::People, Query::Visits, Query::Products, Query::Referrers, Query::Carts];

/// Rows kept of one query: more than any screen shows.
const ROWS: i32 = 50;

impl Query {
    fn of(place: usize) -> Option<Self> {
        QUERIES.get(place).copied()
    }

    fn request(self) -> Value {
        match self {
            // The newest second is still filling.
            Self::Events => json!({ "name": "metrics/events", "window": "1s", "closed_only": true }),
            Self::People => json!({ "name": "metrics/active_users", "window": "5m/1s" }),
            Self::Visits => json!({ "name": "metrics/visits", "window": "1h" }),
            Self::Products => json!({
                "name": "metrics/products", "window": "1h", "group_by": ["product"],
                "top": { "n": ROWS, "measure": "revenue" },
            }),
            Self::Referrers => json!({
                "name": "metrics/visits", "window": "1h", "group_by": ["session.referrer"],
                "top": { "n": ROWS, "measure": "sessions" },
            }),
            Self::Carts => json!({ "name": "metrics/abandoned_carts", "window": "day" }),
        }
    }
}

/// The one watch that feeds the screen.
pub(super) fn request() -> Value {
    json!({ "queries": QUERIES.map(Query::request), "watch": { "min_interval": "0.5s", "bookmark_interval": "2s" } })
}

/// A row, and whether the snapshot under way has repeated it.
#[derive(Debug, Clone)]
struct Row {
    row: Value,
    is_current: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// By query and key.
    rows: BTreeMap<(usize, String), Row>,
    in_snapshot: bool,
    /// Event time up to which the node has counted, as the API has it.
    pub(super) as_of: Option<String>,
    pub(super) held_by: Vec<String>,
    pub(super) shards: Option<Shards>,
}

/// Where the shards stand, in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shards {
    pub(super) serving: usize,
    pub(super) others: usize,
    /// Records not folded yet.
    pub(super) lag: i64,
    /// Seconds since the oldest committed cut.
    pub(super) oldest_cut: Option<u64>,
}

impl Shards {
    /// Of an answer of ListShards.
    pub(super) fn of(answer: &Value) -> Self {
        let mut sum = Self::default();
        for shard in answer["shards"].as_array().into_iter().flatten() {
            match shard["state"] == "STATE_SERVING" {
                true => sum.serving += 1,
                false => sum.others += 1,
            }
            let number =
                |field: &str| shard[field].as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            sum.lag += (number("endPosition") - number("position")).max(0);
            let age = shard["cutAge"].as_str().and_then(|text| text.strip_suffix('s')?.parse::<f64>().ok());
            sum.oldest_cut = sum.oldest_cut.max(age.map(|age| age as u64));
        }
        sum
    }
}

impl Numbers {
    /// Takes a frame of the watch. True: a snapshot is whole.
    pub(super) fn take(&mut self, frame: &Value) -> bool {
        let head = &frame["frame"];
        if let Some(time) = head["info"]["asOf"].as_str() {
            self.as_of = Some(time.to_owned());
        }
        if head["info"].get("complete").is_some() {
            let held = head["info"]["heldBy"].as_array().into_iter().flatten();
            self.held_by = held.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        }
        let place = frame["query"].as_u64().unwrap_or(0) as usize;
        let key = (place, frame["row"]["key"].to_string());
        match head["kind"].as_str() {
            Some(kind @ ("KIND_SNAPSHOT" | "KIND_DELTA")) => {
                if kind == "KIND_SNAPSHOT" && !self.in_snapshot {
                    self.in_snapshot = true;
                    self.rows.values_mut().for_each(|row| row.is_current = false);
                }
                self.put(key, &frame["row"]);
            }
            Some("KIND_DELETE") => self.remove(&key, &frame["row"]),
            Some("KIND_SNAPSHOT_END") => {
                if !self.in_snapshot {
                    self.rows.clear();
                }
                self.rows.retain(|_, row| row.is_current);
                self.in_snapshot = false;
                return true;
            }
            _ => {}
        }
        false
    }

    /// The newest window of a key is shown; an older one that changes late is not news.
    fn put(&mut self, key: (usize, String), row: &Value) {
        if Query::of(key.0).is_none() || self.rows.get(&key).is_some_and(|old| start(&old.row) > start(row)) {
            return;
        }
        self.rows.insert(key, Row { row: row.clone(), is_current: true });
    }

    fn remove(&mut self, key: &(usize, String), row: &Value) {
        if self.rows.get(key).is_some_and(|old| start(&old.row) == start(row) || row["range"].is_null()) {
            self.rows.remove(key);
        }
    }

    /// Rows of a query in its newest window, by rank.
    pub(super) fn rows(&self, query: Query) -> Vec<&Value> {
        let of = self.rows.iter().filter(|((place, _), _)| Query::of(*place) == Some(query));
        let mut rows: Vec<&Value> = of.map(|(_, row)| &row.row).collect();
        let newest = rows.iter().filter_map(|row| start(row)).max();
        rows.retain(|row| start(row) == newest);
        rows.sort_by_key(|row| row["rank"].as_i64().unwrap_or(0));
        rows
    }

    /// A measure of a query that has one row.
    pub(super) fn measure(&self, query: Query, name: &str) -> Option<String> {
        let value = self.rows(query).first()?["values"].get(name)?;
        Some(measure(value))
    }

    /// A ratio as percent.
    pub(super) fn percent(&self, query: Query, name: &str) -> Option<String> {
        let part = self.rows(query).first()?["values"][name]["fraction"]["approximate"].as_f64()?;
        Some(format!("{:.1} %", part * 100.0))
    }
}

fn start(row: &Value) -> Option<&str> {
    row["range"]["startTime"].as_str()
}

/// A value of a row. Amounts of several currencies stand beside each other.
pub(super) fn measure(value: &Value) -> String {
    metric::value(value)
}

/// Without its currency, where one column holds one currency; the first where there are several.
pub(super) fn amount(value: &Value) -> String {
    let amounts = value["amounts"].as_array().map(Vec::as_slice).unwrap_or_default();
    amounts.first().map(money).unwrap_or_default()
}

/// A count of ours.
pub(super) fn number(value: i64) -> String {
    grouped(&value.to_string())
}
