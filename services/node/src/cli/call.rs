//! `souk call SERVICE/METHOD`: any method of the API with JSON, as grpcurl does, for machines without it.

use std::io::Read as _;

use futures_util::stream;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use crate::client::schema::{from_json, method, to_json};
use crate::client::{Target, connect};
use crate::limits;
use crate::output::{Format, print};

/// Call any method of the API with JSON
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk call AnalyticsService/GetActiveUsers
  souk call EventService/PublishEvents -d '{\"events\":[{\"user_id\":\"me\",\"page_view\":{\"page\":\"/\"}}]}'
  souk call AnalyticsService/WatchMetric -d @queries.json -o ndjson

")]
pub(crate) struct Args {
    /// SERVICE/METHOD, with or without souk.v1. before it
    method: String,
    /// The request as proto3 JSON: text, @FILE, or - for standard input; several for a method that takes a stream
    #[arg(short = 'd', long = "data", default_value = "{}")]
    data: String,
    /// How to print
    #[arg(short = 'o', long = "output", value_parser = ["json", "ndjson"], default_value = "json")]
    format: String,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { method: name, data, format, target } = args;
    let method = method(&name)?;
    let requests = requests(&method, &data)?;
    let format = if format == "json" { Format::Json } else { Format::Ndjson };
    let client = connect(&target).await?;
    if !method.is_client_streaming() && !method.is_server_streaming() {
        let request = requests.into_iter().next().unwrap_or_else(|| DynamicMessage::new(method.input()));
        let answer = client.unary(&method, request).await.map_err(|status| client.failure(&status))?;
        return show(format, &to_json(&answer));
    }
    let mut answers =
        client.stream(&method, stream::iter(requests)).await.map_err(|status| client.failure(&status))?;
    while let Some(answer) = answers.message().await.map_err(|status| client.failure(&status))? {
        show(format, &to_json(&answer))?;
    }
    Ok(())
}

fn show(format: Format, answer: &Value) -> Result<(), Failure> {
    print(&if format == Format::Json { format!("{answer:#}\n") } else { format!("{answer}\n") })
}

/// Reads the requests: exactly one for a method that takes no stream.
fn requests(method: &MethodDescriptor, data: &str) -> Result<Vec<DynamicMessage>, Failure> {
    let text = text(data)?;
    let parsed: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    let mut values = parsed.map_err(|error| Failure::usage(format_args!("the data is no JSON: {error}")))?;
    if values.is_empty() {
        values.push(json!({}));
    }
    if values.len() > 1 && !method.is_client_streaming() {
        return Err(Failure::usage(format_args!(
            "{} takes one request, not {}",
            method.name(),
            values.len()
        )));
    }
    values.into_iter().map(|value| from_json(method.input(), value)).collect()
}

fn text(data: &str) -> Result<String, Failure> {
    let read = |what: &str, from: std::io::Result<Box<dyn std::io::Read>>| {
        let mut text = String::new();
        let read = from.and_then(|from| from.take(limits::REQUEST_BYTES).read_to_string(&mut text));
        read.map_err(|error| Failure::new(Exit::Failed, format_args!("{what}: {error}")))?;
        Ok(text)
    };
    match data.strip_prefix('@') {
        Some(path) => {
            read(path, std::fs::File::open(path).map(|file| Box::new(file) as Box<dyn std::io::Read>))
        }
        None if data == "-" => read("standard input", Ok(Box::new(std::io::stdin()))),
        None => Ok(data.to_owned()),
    }
}
