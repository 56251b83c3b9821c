//! `souk dead-letters`: what could not be taken, and the way back for it.

use std::path::PathBuf;

use clap::Subcommand;
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use super::list::{self, Page};
use crate::client::schema::{from_json, method};
use crate::client::{Target, connect};
use crate::output::{Output, answer, fields};

/// Messages that could not be taken
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk dead-letters list
  souk dead-letters requeue deadLetters/users-17.48211.0

")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, newest first
    #[command(before_help = "Examples:
  souk dead-letters list
  souk dead-letters list --filter 'error_type = \"FIELD_MISSING\"' -o ndjson

")]
    List(Page),
    Requeue(Requeue),
}

/// Put one back, mended or as it was
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk dead-letters requeue deadLetters/users-17.48211.0 --dry-run
  souk dead-letters requeue deadLetters/users-17.48211.0 --with mended.json

")]
struct Requeue {
    /// The letter's name, as the list has it
    name: String,
    /// The mended event as proto3 JSON [default: the original]
    #[arg(long = "with", value_name = "FILE")]
    replacement: Option<PathBuf>,
    /// Say what would become of it, append nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::List(page) => list::page("deadLetters", page).await,
        Action::Requeue(requeue) => put_back(requeue).await,
    }
}

async fn put_back(args: Requeue) -> Result<(), Failure> {
    let method = method("AdminService/RequeueDeadLetter")?;
    let mut request = from_json(method.input(), json!({ "name": args.name, "validate_only": args.dry_run }))?;
    if let Some(path) = args.replacement {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::new(Exit::Failed, format_args!("{}: {error}", path.display())))?;
        request.set_field_by_name(
            "replacement",
            prost_reflect::Value::Bytes(event(&text)?.encode_to_vec().into()),
        );
    }
    let client = connect(&args.target).await?;
    let reply = client.unary(&method, request).await.map_err(|status| client.failure(&status))?;
    let reply = crate::client::schema::to_json(&reply);
    answer(args.output, &reply, std::slice::from_ref(&reply), || fields::of_message(&reply))?;
    match reply["verdict"]["outcome"].as_str() {
        Some("OUTCOME_REJECTED") => Err(Failure::said(Exit::Failed)),
        _ => Ok(()),
    }
}

fn event(text: &str) -> Result<DynamicMessage, Failure> {
    let json: Value = serde_json::from_str(text)
        .map_err(|error| Failure::usage(format_args!("the event is no JSON: {error}")))?;
    let events = method("EventService/PublishEvents")?.input().get_field_by_name("events");
    let kind = events.map(|field| field.kind());
    let descriptor = kind.as_ref().and_then(prost_reflect::Kind::as_message).expect("requests carry events");
    from_json(descriptor.clone(), json)
}
