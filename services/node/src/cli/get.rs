//! `souk get NAME`: one resource, read by the call its name decides; a metric is queried.

use serde_json::{Map, Value, json};

use super::exit::{Exit, Failure};
use super::resource;
use crate::client::{Client, Target, connect};
use crate::output::table::at;
use crate::output::{Output, answer, fields, metric};

/// Read one resource by its name
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk get metrics/active_users
  souk get metrics/products --by product --top 10 --rank revenue --window 1h
  souk get metrics/sales --where category=mugs --window day --last 7
  souk get users/alice/cart -o json
  souk get shards/users-3

")]
pub(crate) struct Args {
    /// metrics/M, users/U, users/U/cart, users/U/orders/O, users/U/sessions/S, products/P, shards/S, nodes/N, deadLetters/D
    name: String,
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    read: ReadFlags,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

/// How a metric is asked for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Metrics")]
pub(super) struct Query {
    /// One of the metric's windows, as 5m, 5m/1m, 1h, day, total [default: its first]
    #[arg(long)]
    window: Option<String>,
    /// The first N rows by a measure
    #[arg(long, value_name = "N")]
    top: Option<i32>,
    /// The measure that decides with --top [default: the first the metric ranks]
    #[arg(long, value_name = "MEASURE")]
    rank: Option<String>,
    /// Rows for one value of a dimension; may be repeated
    #[arg(long = "where", value_name = "DIMENSION=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// A row for each value of these dimensions
    #[arg(long = "group-by", visible_alias = "by", value_name = "DIMENSION,…", value_delimiter = ',')]
    group_by: Vec<String>,
    /// The newest N windows
    #[arg(long, value_name = "N")]
    last: Option<i32>,
    /// Only windows that have closed
    #[arg(long)]
    closed: bool,
}

/// How fresh an answer must be.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Freshness")]
pub(super) struct ReadFlags {
    /// Wait until this position has been applied, as an answer or an acknowledgement named it
    #[arg(long, value_name = "POSITION")]
    min_position: Option<String>,
    /// Which state may answer
    #[arg(long, value_parser = ["any", "owner", "latest"], default_value = "any")]
    freshness: String,
}

impl ReadFlags {
    pub(super) fn request(&self) -> Value {
        json!({
            "min_position": self.min_position.clone().unwrap_or_default(),
            "freshness": format!("FRESHNESS_{}", self.freshness.to_uppercase()),
        })
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write DIMENSION=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Query {
    /// Without a word on keys, `--top` means the metric's first key set that is not everything.
    pub(super) async fn request(self, client: &Client, name: &str) -> Result<Value, Failure> {
        let mut group_by = self.group_by;
        if self.top.is_some() && group_by.is_empty() && self.filter.is_empty() {
            group_by = first_key_set(client, name).await?;
        }
        let mut request = json!({
            "name": name,
            "where": Map::from_iter(self.filter.into_iter().map(|(name, value)| (name, value.into()))),
            "group_by": group_by,
            "closed_only": self.closed,
        });
        if let Some(window) = self.window {
            request["window"] = self::window(client, name, window).await?.into();
        }
        if let Some(last) = self.last {
            request["last"] = last.into();
        }
        if self.top.is_some() || self.rank.is_some() {
            request["top"] = json!({ "n": self.top.unwrap_or(0), "measure": self.rank.unwrap_or_default() });
        }
        Ok(request)
    }
}

/// The metric as the catalogue has it; null where it is not declared, and then the query says so better.
async fn declared(client: &Client, name: &str) -> Result<Value, Failure> {
    let answer = client.ask("AnalyticsService/ListMetrics", json!({ "page_size": 1_000 })).await?;
    let found = answer["metrics"]
        .as_array()
        .and_then(|all| all.iter().find(|metric| metric["name"] == name).cloned());
    Ok(found.unwrap_or_default())
}

async fn first_key_set(client: &Client, name: &str) -> Result<Vec<String>, Failure> {
    let metric = declared(client, name).await?;
    let sets = metric["keys"].as_array().into_iter().flatten();
    let mut named = sets.filter_map(|set| set["dimensions"].as_array());
    let first = named.next().into_iter().flatten().filter_map(Value::as_str);
    Ok(first.map(str::to_owned).collect())
}

/// `5m` also means the first sliding window of that size.
async fn window(client: &Client, name: &str, window: String) -> Result<String, Failure> {
    let metric = declared(client, name).await?;
    let declared = || metric["windows"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if declared().any(|known| known == window) {
        return Ok(window);
    }
    let sliding = declared().find(|known| known.split_once('/').is_some_and(|(size, _)| size == window));
    Ok(sliding.map_or(window, str::to_owned))
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { name, query, read, output, target } = args;
    let of_metric = matches!(name.split('/').collect::<Vec<_>>()[..], ["metrics", _]);
    let known = if of_metric { None } else { Some(resource::read(&name)?) };
    let client = connect(&target).await?;
    match known {
        None => {
            let mut request = query.request(&client, &name).await?;
            request["page_size"] = crate::limits::PAGE_ROWS.into();
            request["read"] = read.request();
            let reply = client.ask("AnalyticsService/QueryMetric", request).await?;
            let rows = reply["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
            answer(output, &reply, rows, || metric::of_answer(&reply))
        }
        Some(resource::Read { method, mut request, part }) => {
            if method.starts_with("UserService/") {
                request["read"] = read.request();
            }
            let reply = client.ask(method, request).await?;
            let found = pick(&reply, part, &name);
            if found.is_null() {
                return Err(Failure::new(Exit::Failed, format_args!("there is no {name}")));
            }
            answer(output, found, std::slice::from_ref(found), || fields::of_message(found))
        }
    }
}

/// The part of an answer that was asked for: in a list, the one of that name.
fn pick<'a>(reply: &'a Value, part: &str, name: &str) -> &'a Value {
    match at(reply, part) {
        Value::Array(all) => all.iter().find(|one| one["name"] == name).unwrap_or(&Value::Null),
        found => found,
    }
}
