//! `souk ingest FILE`: a file of events, trips or transactions into a node, line by line. Streams: memory is bounded by the lines on
//! their way, whatever the file's size.

mod age;
mod cells;
mod columns;
mod input;
mod limits;
mod lines;
mod outcome;
mod progress;
mod reader;
mod rejects;
mod span;
mod speed;
mod table;
mod to_topic;

use std::path::PathBuf;

use serde_json::json;
use souk_formats::time::timestamp;
use souk_model::money::Currency;
use souk_proto::v1::AckLevel;
use souk_runtime::ports::Clock as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::input::{AnyReader, Chunk, Input, Times};
use self::outcome::{Line, Outcomes};
use self::progress::Progress;
use self::reader::{As, Item};
use self::rejects::{Rejects, Shape};
use self::speed::{Speed, Timetable};
use crate::cli::exit::Failure;
use crate::client::{Client, Target, connect};
use crate::form::Form;
use crate::output::cell::grouped;
use crate::output::print;
use crate::publisher::Publisher;
use crate::topic::Place;
use crate::wiring::SystemClock;

/// Send a file of events, trips or transactions to a node
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk ingest events.ndjson
  souk ingest trips.csv --as trip --shift-to-now
  souk generate --events 1000 --to ndjson | souk ingest -
  souk ingest ledger.csv --as transaction --speed 10
  souk ingest trips.csv --as trip --to kafka://localhost:9092/events --format streampulse

")]
pub(crate) struct Args {
    /// The file, or - for standard input
    file: String,
    /// What its lines are
    #[arg(long = "as", value_enum, value_name = "WHAT", default_value = "event")]
    what: As,
    /// How many times as fast as it happened, or max: as fast as the node takes it
    #[arg(long, value_name = "FACTOR", default_value = "max")]
    speed: Speed,
    /// Only the first N lines
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// Move all times so that the latest is now
    #[arg(long)]
    shift_to_now: bool,
    /// Currency of fares that do not say theirs
    #[arg(long, value_name = "CODE", default_value = "EUR", value_parser = currency)]
    currency: String,
    /// Where refused lines go [default: FILE.rejects.ndjson]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// A topic, as kafka://HOST:PORT/TOPIC, instead of a node
    #[arg(long, value_name = "TOPIC")]
    to: Option<Place>,
    /// Form of the messages: souk, cartpulse, analytics-engine, commerce, streampulse, kartshoppe, or a TOML file that declares one
    #[arg(long, value_name = "FORM", default_value = "souk", value_parser = Form::parse)]
    format: Form,
    /// Make the topic with so many partitions if it is not there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    partitions: Option<u16>,
    #[command(flatten)]
    target: Target,
}

fn currency(code: &str) -> Result<String, &'static str> {
    Currency::parse(code).map(|currency| currency.code().to_owned()).ok_or("wants an ISO 4217 code, as EUR")
}

/// How the lines are sent.
type Sender = Publisher<Vec<Line>, Outcomes>;

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.to.clone() {
        Some(place) => to_topic::run(args, &place).await,
        None => to_node(args).await,
    }
}

async fn to_node(args: Args) -> Result<(), Failure> {
    let input = Input::of(&args.file);
    let client = connect(&args.target).await?;
    let now = SystemClock.now();
    let (mut lines, times) = Lines::open(&args, &input, now).await?;
    let first = lines.next(&input).await?;
    if !is_of_history(&client).await? {
        let shift = times.map_or(0, |times| now - times.latest);
        let seen = times.or_else(|| Times::of(first.iter().flat_map(|chunk| &chunk.items)));
        let shifted =
            seen.map(|times| Times { earliest: times.earliest + shift, latest: times.latest + shift });
        age::check(&args.file, if times.is_some() { shifted } else { seen }, args.shift_to_now, now)?;
    }
    say_shift(times, now);
    let publisher = Publisher::new(client, AckLevel::Applied, Outcomes::new(lines.rejects));
    send(publisher, first, lines.chunks, &input, args.speed).await
}

fn say_shift(times: Option<Times>, now: i64) {
    if let Some(times) = times {
        let shift = span::span(now - times.latest);
        eprintln!("times moved by {shift} so that {} is now", timestamp(times.latest));
    }
}

type Chunks = mpsc::Receiver<std::io::Result<Chunk>>;

/// The lines as they are read, and where the refused ones go.
#[derive(Debug)]
struct Lines {
    chunks: Chunks,
    rejects: Rejects,
}

impl Lines {
    /// Begins to read. The file's own times, where it was looked through to move them.
    async fn open(args: &Args, input: &Input, now: i64) -> Result<(Self, Option<Times>), Failure> {
        let most = args.max.unwrap_or(u64::MAX);
        let times = if args.shift_to_now { look_through(input, args, most).await? } else { None };
        // Opening a pipe waits for its first line: not on a thread that others need.
        let opening = {
            let (input, what, currency) = (input.clone(), args.what, args.currency.clone());
            tokio::task::spawn_blocking(move || input.open(what, &currency))
        };
        let mut reader = opening.await.map_err(anyhow::Error::from)??;
        reader.shift = times.map_or(0, |times| now - times.latest);
        let shape = reader.header().map_or(Shape::Json, Shape::Table);
        let rejects = args.rejects.clone().unwrap_or_else(|| input.rejects());
        let rejects = Rejects::new(rejects, shape).map_err(anyhow::Error::from)?;
        Ok((Self { chunks: input::read_ahead(reader, most), rejects }, times))
    }

    async fn next(&mut self, input: &Input) -> Result<Option<Chunk>, Failure> {
        next(&mut self.chunks, input).await
    }
}

/// The times of a whole file, read once before it is sent.
async fn look_through(input: &Input, args: &Args, most: u64) -> Result<Option<Times>, Failure> {
    if matches!(input, Input::Stdin) {
        return Err(Failure::usage(
            "--shift-to-now must know the latest time beforehand: give a file, not standard input",
        ));
    }
    let reader: AnyReader = input.open(args.what, &args.currency)?;
    let looking = tokio::task::spawn_blocking(move || input::look_through(reader, most));
    looking.await.map_err(anyhow::Error::from)?.map_err(|error| input.failed(&error.into()))
}

/// Whether the node takes events of any age.
async fn is_of_history(client: &Client) -> Result<bool, Failure> {
    let answer = client.ask("AdminService/GetNode", json!({})).await?;
    Ok(answer["node"]["clock"] == "history")
}

async fn next(chunks: &mut Chunks, input: &Input) -> Result<Option<Chunk>, Failure> {
    chunks.recv().await.transpose().map_err(|error| input.failed(&error.into()))
}

async fn send(
    mut publisher: Sender,
    first: Option<Chunk>,
    mut chunks: Chunks,
    input: &Input,
    speed: Speed,
) -> Result<(), Failure> {
    let mut progress = Progress::begin(input.size());
    let mut table = Timetable::new(speed);
    let began = Instant::now();
    let mut chunk = first;
    while let Some(Chunk { items, bytes }) = chunk {
        let count = items.len();
        send_when_due(&mut publisher, items, &mut table, began).await?;
        progress.advance(count, bytes);
        chunk = next(&mut chunks, input).await?;
    }
    let again = publisher.finish().await?;
    progress.end();
    if again > 0 {
        let again = grouped(&again.to_string());
        eprintln!(
            "{again} events were sent again after a break; those counted before it are among the duplicates"
        );
    }
    summary(publisher.listener())
}

/// Sends a chunk in as many batches as its times ask for.
async fn send_when_due(
    publisher: &mut Sender,
    items: Vec<Item>,
    table: &mut Timetable,
    began: Instant,
) -> Result<(), Failure> {
    let (mut events, mut lines) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        let due = began + table.due(item.became.as_ref().ok().and_then(|ready| ready.millis));
        if due > Instant::now() {
            if !lines.is_empty() {
                publisher.send(std::mem::take(&mut events), std::mem::take(&mut lines)).await?;
            }
            sleep_until(due).await;
        }
        let (event, line) = Line::part(item);
        events.extend(event);
        lines.push(line);
    }
    if lines.is_empty() { Ok(()) } else { publisher.send(events, lines).await }
}

/// The result, on stdout.
fn summary(outcomes: &mut Outcomes) -> Result<(), Failure> {
    let counts = outcomes.counts.to_string();
    // The last of the counts is that of the rejected: it stands with where they are.
    let counted = counts.rsplit_once(' ').map_or("", |(counted, _)| counted);
    let rejected = outcomes.rejected()?;
    print(&format!("{counted} {rejected}\n"))
}
