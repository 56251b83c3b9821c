//! `souk generate`: the shoppers' traffic to a node, or as lines of text.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use souk_proto::v1::AckLevel;
use souk_runtime::ports::Clock as _;

use super::drive::{Driven, Pace, Sink, drive};
use super::grpc::{Node, Told};
use super::kind::Weights;
use super::limits::{PRODUCTS, RATE, USERS};
use super::ndjson;
use super::options::{Exponent, Options, Share};
use super::run_of;
use super::traffic::{Made, Traffic, What};
use crate::cli::exit::{Exit, Failure};
use crate::client::{Target, connect};
use crate::form::Form;
use crate::output::cell::grouped;
use crate::output::print;
use crate::publisher::Publisher;
use crate::topic::{Place, Topic};
use crate::wiring::SystemClock;

/// Make the traffic of a synthetic shop: seeded, repeatable, on an exact schedule
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk generate --rate 1000 --seconds 60
  souk generate --to ndjson --events 100000 --start-time 2026-11-21T09:00:00Z --out events.ndjson
  souk generate --to kafka://localhost:9092/financial_transactions --format cartpulse --partitions 8 --events 100000
  souk generate --weights page_view=.5,cart_add=.3,checkout=.2 --late 5% --malformed 1%

")]
pub(crate) struct Args {
    /// Events a second, exactly: the n-th is due n / rate after the first
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(RATE)))]
    rate: u32,
    /// Stop after N events
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// Stop after N seconds of the schedule
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// The same seed and options make the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Stands in all ids made up [default: the seed, and the time unless --start-time is given]
    #[arg(long, value_name = "NAME", value_parser = name)]
    run: Option<String>,
    /// Event time of the first event; the others follow at the rate, and nothing waits for a clock [default: now, in real time]
    #[arg(long, value_name = "TIME")]
    start_time: Option<prost_types::Timestamp>,
    #[command(flatten)]
    shop: ShopArgs,
    #[command(flatten)]
    faults: FaultArgs,
    /// Where to: grpc, a node; ndjson, lines; or a topic, as kafka://HOST:PORT/TOPIC
    #[arg(long, value_name = "TO", default_value = "grpc")]
    to: To,
    /// Form of lines and messages: souk, cartpulse, analytics-engine, commerce, streampulse, kartshoppe, or a TOML file that declares one
    #[arg(long, value_name = "FORM", value_parser = Form::parse)]
    format: Option<Form>,
    /// Make the topic with so many partitions if it is not there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    partitions: Option<u16>,
    /// A file for the lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// When a node answers: in the journal, or judged by the fold
    #[arg(long, value_enum, default_value = "applied")]
    ack: Ack,
    #[command(flatten)]
    target: Target,
}

/// Who comes, and what they do.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Shop")]
struct ShopArgs {
    /// People
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(USERS)))]
    users: u32,
    /// How uneven their activity is: the n-th comes in proportion to 1 / n to this power
    #[arg(long, value_name = "POWER", default_value = "0.6")]
    user_skew: Exponent,
    /// Products, announced before anything else
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=i64::from(PRODUCTS)))]
    products: u32,
    /// How uneven their popularity is
    #[arg(long, value_name = "POWER", default_value = "1")]
    product_skew: Exponent,
    /// How often what happens: KIND=WEIGHT,…; what is not named does not [default: see docs/generate.md]
    #[arg(long, value_name = "KIND=WEIGHT,…")]
    weights: Option<Weights>,
    /// Of all carts, those left behind
    #[arg(long, value_name = "SHARE", default_value = "60%")]
    abandon: Share,
}

/// What is wrong with some of it, on purpose.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Faults")]
struct FaultArgs {
    /// Events that come 5 seconds to two days late
    #[arg(long, value_name = "SHARE", default_value = "0")]
    late: Share,
    /// Events that come twice
    #[arg(long, value_name = "SHARE", default_value = "0")]
    duplicates: Share,
    /// Events with something wrong with them; of lines, half are no events at all
    #[arg(long, value_name = "SHARE", default_value = "0")]
    malformed: Share,
}

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    /// A node, over StreamEvents.
    Grpc,
    Ndjson,
    Topic(Place),
}

impl FromStr for To {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "grpc" => Ok(Self::Grpc),
            "ndjson" => Ok(Self::Ndjson),
            text => {
                text.parse().map(Self::Topic).map_err(|_| "wants grpc, ndjson or kafka://HOST:PORT/TOPIC")
            }
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ack {
    Logged,
    Applied,
}

fn name(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-');
    // Ids have 64 characters at most, and end in a letter and a number.
    if (1..=32).contains(&text.len()) && text.bytes().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("wants 1 to 32 of A-Z a-z 0-9 . _ ~ -")
    }
}

impl Args {
    fn options(&self) -> Options {
        let now = SystemClock.now();
        let start = self.start_time.map(|time| time.seconds * 1_000 + i64::from(time.nanos / 1_000_000));
        let run = match (&self.run, start) {
            (Some(run), _) => run.clone(),
            (None, Some(_)) => format!("g{}", self.seed),
            (None, None) => run_of(self.seed, now),
        };
        Options {
            users: self.shop.users,
            user_skew: self.shop.user_skew,
            products: self.shop.products,
            product_skew: self.shop.product_skew,
            weights: self.shop.weights.clone().unwrap_or_default(),
            abandon: self.shop.abandon,
            late: self.faults.late,
            duplicates: self.faults.duplicates,
            malformed: self.faults.malformed,
            broken_lines: self.to != To::Grpc,
            ..Options::new(self.rate, self.seed, run, start.unwrap_or(now))
        }
    }

    /// Events until the first of the ends asked for.
    fn count(&self) -> usize {
        let of_seconds = self.seconds.map(|seconds| seconds.saturating_mul(u64::from(self.rate)));
        let count = [self.events, of_seconds].into_iter().flatten().min().unwrap_or(u64::MAX);
        usize::try_from(count).unwrap_or(usize::MAX)
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.out.is_some() && args.to != To::Ndjson {
        return Err(Failure::usage("--out is for lines: say --to ndjson too"));
    }
    if args.format.is_some() && args.to == To::Grpc {
        return Err(Failure::usage(
            "--format is for lines and messages: say --to ndjson or --to kafka://… too",
        ));
    }
    let form = args.format.clone().unwrap_or_else(Form::own);
    let traffic = Traffic::new(&args.options()).told(form.clone()).take(args.count());
    let pace = if args.start_time.is_some() { Pace::Sink } else { Pace::Schedule };
    match &args.to {
        To::Ndjson => {
            let mut sink = ndjson::to(args.out.as_deref(), form).map_err(|error| failed(&args, &error))?;
            let (driven, done) = drive(traffic, pace, &mut sink, interrupted()).await;
            done.map_err(|error| failed(&args, &error))?;
            eprintln!("{}", said(driven));
            Ok(())
        }
        To::Topic(place) => {
            let mut sink = Topic::open(place, form, args.partitions).await?;
            let (driven, done) = drive(traffic, pace, &mut sink, interrupted()).await;
            done?;
            let acknowledged = sink.finish().await?;
            eprintln!("{}", said(driven));
            print(&format!("{acknowledged}\n"))
        }
        To::Grpc => {
            let client = connect(&args.target).await?;
            let ack = match args.ack {
                Ack::Logged => AckLevel::Logged,
                Ack::Applied => AckLevel::Applied,
            };
            let mut sink = Node(Publisher::new(client, ack, Told::default()));
            let (driven, done) = drive(traffic, pace, &mut sink, interrupted()).await;
            done?;
            let again = sink.0.finish().await?;
            eprintln!("{}", said(driven));
            if again > 0 {
                eprintln!("{} of them were sent again after a break", number(again));
            }
            print(&summary(sink.0.listener()))
        }
    }
}

/// A topic takes one message after the other, and waits while too much is under way.
impl Sink for Topic {
    type Error = Failure;

    async fn take(&mut self, batch: Vec<Made>) -> Result<(), Failure> {
        for made in batch {
            match made.what {
                What::Event(event) => drop(self.send(&event).await?),
                What::Broken(text) => self.send_text(&text).await?,
            }
        }
        Ok(())
    }
}

/// Ctrl-C ends the traffic, not the summary.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// A reader of stdout that has gone (`souk generate … | head`) ends the command without a word.
fn failed(args: &Args, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::said(Exit::Done);
    }
    let to = args.out.as_ref().map_or_else(|| "stdout".to_owned(), |path| path.display().to_string());
    Failure::new(Exit::Failed, format_args!("{to}: {error}"))
}

fn number(value: u64) -> String {
    grouped(&value.to_string())
}

/// How it went, for stderr.
fn said(driven: Driven) -> String {
    let behind = match driven.behind {
        behind if behind < Duration::from_millis(100) => String::new(),
        behind => format!(" · up to {:.1} s behind the schedule", behind.as_secs_f64()),
    };
    format!("{} events{behind}", number(driven.made))
}

/// What became of it, for stdout.
fn summary(told: &Told) -> String {
    let first = told.first.as_ref().map(|verdict| {
        let field = if verdict.field.is_empty() { String::new() } else { format!(", {}", verdict.field) };
        format!("  first: {}{field}: {}  [{}]\n", verdict.event_id, verdict.message, verdict.reason)
    });
    format!("{}\n{}", told.counts, first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_counts() {
        use clap::{Args as _, FromArgMatches as _};
        let count = |flags: &[&str]| {
            let command = Args::augment_args(clap::Command::new("generate")).no_binary_name(true);
            Args::from_arg_matches(&command.get_matches_from(flags)).expect("flags").count()
        };
        assert_eq!(count(&["--rate", "50", "--seconds", "3"]), 150);
        assert_eq!(count(&["--events", "70", "--seconds", "3"]), 70);
        assert_eq!(count(&[]), usize::MAX);
    }
}
