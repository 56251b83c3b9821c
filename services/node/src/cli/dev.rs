//! `souk dev`: a whole node in one process, with shoppers, and three calls to try.

use tokio::time::Instant;

use super::exit::Failure;
use super::node_flags::NodeFlags;
use crate::config::{Config, Durability, Flag, Origin};
use crate::data_dir::DataDir;
use crate::output::print;
use crate::shutdown::{self, Signals};
use crate::wiring::{Doors, Node};
use crate::{shoppers, telemetry};

/// Run a whole node here, with synthetic shoppers, in a temporary directory
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk dev
  souk dev --no-traffic --listen 127.0.0.1:0
  souk dev --data-dir ./souk-data --durability interval

")]
pub(crate) struct Args {
    /// No synthetic shoppers
    #[arg(long, conflicts_with_all = ["rate", "seed"])]
    no_traffic: bool,
    /// Events a second of the synthetic shoppers [default: 200]
    #[arg(long, value_name = "N")]
    rate: Option<String>,
    /// Seed of the synthetic shoppers [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<String>,
    #[command(flatten)]
    flags: NodeFlags,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let began = Instant::now();
    let rate = if args.no_traffic { Some("0".to_owned()) } else { args.rate };
    let name = if args.no_traffic { "--no-traffic" } else { "--rate" };
    let traffic = [(name, "traffic.rate", rate), ("--seed", "traffic.seed", args.seed)];
    let traffic = traffic.into_iter().filter_map(|(name, key, text)| Some(Flag { name, key, text: text? }));
    let loaded = args.flags.load(None, traffic.collect())?;
    let _traces = telemetry::start(&loaded.config)?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let temporary = *loaded.origin("node.data_dir") == Origin::Default;
    // One process, whatever is set for the nodes of a cluster.
    let config = loaded.config.alone();

    let mut signals = Signals::listen()?;
    let doors = Doors::open(&config).await?;
    let data = if temporary { DataDir::temporary()? } else { DataDir::kept(&config.node.data_dir)? };
    let node = Node::start(&config, doors, Some(data)).await?;
    print(&head(&config, &node, temporary))?;
    tokio::select! {
        () = node.ready() => {}
        _ = signals.next() => return Ok(()),
    }
    print(&format!("ready in {:.2} s\n\n{}", began.elapsed().as_secs_f64(), next_steps(&node)))?;

    if config.traffic.rate > 0 {
        let shopping = shoppers::shop(config.traffic.clone(), shoppers::into_node(node.runtime.clone()));
        // They go when the node leaves: it closes its data directory once nobody else holds it.
        tokio::spawn(node.leaving().run_until_cancelled_owned(shopping));
    }
    shutdown::until_drained(node, signals, config.node.drain_timeout).await
}

/// Where it is and how safe.
fn head(config: &Config, node: &Node, temporary: bool) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let data = match temporary {
        true => "data in a temporary directory (keep it: --data-dir DIR)".to_owned(),
        false => format!("data in {}", config.node.data_dir.display()),
    };
    let shards = format!("{} + {} shards", config.shards.users, config.shards.products);
    let ack = match config.journal.durability {
        Durability::Fsync => {
            "on disk: fsync, group commit (--durability interval is faster, and says so here)".to_owned()
        }
        Durability::Interval => {
            let interval = config.journal.interval;
            format!(
                "handed to the system, on disk within {interval}: a power cut takes that much (--durability fsync)"
            )
        }
    };
    let traffic = match config.traffic.rate {
        0 => "none".to_owned(),
        rate => format!("synthetic shoppers, {rate} events/s, seed {} (--no-traffic)", config.traffic.seed),
    };
    let (grpc, metrics) = (node.grpc.to_string(), node.metrics);
    format!(
        "souk {version} · dev · shop main · one process, {shards} · {data}\n  \
           gRPC, gRPC-Web   {grpc:<18}  metrics, health   http://{metrics}\n  \
           an ack means     {ack}\n  \
           traffic          {traffic}\n"
    )
}

/// Calls that work as they stand.
fn next_steps(node: &Node) -> String {
    let at = node.grpc;
    let address = if at.port() == 7070 { String::new() } else { format!(" --address {at}") };
    format!(
        r#"Try, in another terminal:
  grpcurl -plaintext {at} souk.v1.AnalyticsService/GetActiveUsers
  grpcurl -plaintext -d '{{"queries":[{{"name":"metrics/active_users"}}]}}' {at} souk.v1.AnalyticsService/WatchMetric
  grpcurl -plaintext -d '{{"events":[{{"event_id":"e-1","user_id":"me","page_view":{{"page":"/"}}}}]}}' {at} souk.v1.EventService/PublishEvents
  souk top{address}          no grpcurl at hand: souk get metrics/active_users{address}
Ctrl-C stops cleanly, a second one at once.
"#
    )
}
