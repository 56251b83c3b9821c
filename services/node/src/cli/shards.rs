//! `souk shards`: where every shard stands.

use super::exit::Failure;
use super::list::{self, Page};

/// Where every shard stands: owner, position, lag, watermark
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk shards
  souk shards --filter 'state = CATCHING_UP'
  souk shards -o json

")]
pub(crate) struct Args {
    #[command(flatten)]
    page: Page,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    list::page("shards", args.page).await
}
