//! `souk list COLLECTION`: a page of it. `shards` and `dead-letters list` are the same call under their own name.

use serde_json::Value;

use super::exit::Failure;
use super::resource::{self, Listing};
use crate::client::{Target, connect};
use crate::output::{Output, answer, table};

/// List a collection, a page at a time
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk list metrics
  souk list users/alice/events --page-size 20
  souk list users/-/abandonedCarts --filter 'state = OPEN' -o ndjson

")]
pub(crate) struct Args {
    /// metrics, metrics/M/corrections, shards, nodes, deadLetters, users/U/sessions, users/U/events, users/-/abandonedCarts
    collection: String,
    #[command(flatten)]
    page: Page,
}

/// Which page, how it is printed, whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Page {
    /// Only rows this holds for: field op value, with AND, OR, NOT
    #[arg(long)]
    pub(super) filter: Option<String>,
    /// Rows of a page
    #[arg(long, value_name = "N")]
    page_size: Option<i32>,
    /// Continue after the page that named this token
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    page(&args.collection, args.page).await
}

/// Asks for a page and prints it.
pub(super) async fn page(collection: &str, page: Page) -> Result<(), Failure> {
    let Listing { method, mut request, rows: field, columns } = resource::list(collection)?;
    let Page { filter, page_size, page_token, output, target } = page;
    let given = [
        ("filter", filter.map(Value::from)),
        ("page_size", page_size.map(Value::from)),
        ("page_token", page_token.map(Value::from)),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            request[name] = value;
        }
    }
    let client = connect(&target).await?;
    let reply = client.ask(method, request).await?;
    let mut rows = reply[field].as_array().cloned().unwrap_or_default();
    if field == "events" {
        rows.iter_mut().for_each(name_kind);
    }
    answer(output, &reply, reply[field].as_array().map(Vec::as_slice).unwrap_or_default(), || {
        table::of_rows(columns, &rows)
    })?;
    for missing in reply["unreachable"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("not reached: {missing}");
    }
    if let Some(token) = reply["nextPageToken"].as_str().filter(|token| !token.is_empty()) {
        eprintln!("more: souk list {collection} --page-token {token}");
    }
    Ok(())
}

/// Fields of an event that every kind has; the one left is its kind.
const OF_EVERY_EVENT: [&str; 8] =
    ["eventId", "eventTime", "userId", "sessionId", "deviceId", "shop", "source", "labels"];

/// Puts the kind of an event where the table looks for it.
fn name_kind(event: &mut Value) {
    let kind = event
        .as_object()
        .and_then(|fields| fields.keys().find(|name| !OF_EVERY_EVENT.contains(&name.as_str())));
    if let Some(kind) = kind.cloned() {
        event["kind"] = snake(&kind).into();
    }
}

/// `cartStep` as filters and metrics write it: `cart_step`.
fn snake(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 2);
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
