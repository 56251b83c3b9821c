//! Where the server's shards stand, as AdminService.ListShards says it.

use anyhow::{Context, Result, bail};
use souk_proto::v1;
use tokio::time::{Instant, sleep};

use super::client::{self, Admin};
use crate::limits;
use crate::measure::clock::Millis;

/// Every shard, by name.
#[derive(Debug, Clone, Default)]
pub struct Shards(pub Vec<v1::Shard>);

impl Shards {
    pub async fn ask(admin: &mut Admin) -> Result<Self> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        for _ in 0..limits::PAGES {
            let request = v1::ListShardsRequest { page_size: limits::PAGE, page_token, ..Default::default() };
            let answer = admin.list_shards(request).await.context("listing shards")?.into_inner();
            all.extend(answer.shards);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                return Ok(Self(all));
            }
        }
        bail!("the list of shards does not end")
    }

    /// The shards that hold users.
    pub fn users(&self) -> impl Iterator<Item = &v1::Shard> {
        self.0.iter().filter(|shard| shard.name.starts_with("shards/users-"))
    }

    /// Records in the users journal not folded yet.
    pub fn lag(&self) -> i64 {
        self.users().map(|shard| (shard.end_position - shard.position).max(0)).sum()
    }

    /// Every shard serves and has folded all there is.
    pub fn settled(&self) -> bool {
        let done = |shard: &v1::Shard| {
            shard.state() == v1::shard::State::Serving && shard.position >= shard.end_position
        };
        !self.0.is_empty() && self.0.iter().all(done)
    }

    /// Every shard has an owner that folds at the journal's end.
    pub fn all_serve(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|shard| shard.state() == v1::shard::State::Serving)
    }

    /// Every users shard has a cut.
    pub fn have_cuts(&self) -> bool {
        self.users().all(|shard| shard.cut_age.is_some())
    }

    /// How far every users shard has come in event time; none while one has no record.
    pub fn watermark(&self) -> Option<Millis> {
        let marks: Option<Vec<Millis>> =
            self.users().map(|shard| client::millis(shard.watermark.as_ref())).collect();
        marks?.into_iter().min()
    }

    /// Waits until they are as wanted.
    pub async fn wait(admin: &mut Admin, what: &str, wanted: impl Fn(&Self) -> bool) -> Result<Self> {
        let deadline = Instant::now() + limits::SETTLE;
        loop {
            let shards = Self::ask(admin).await?;
            if wanted(&shards) {
                return Ok(shards);
            }
            if Instant::now() > deadline {
                bail!("{what}: not after {:?}; {}", limits::SETTLE, shards.summary());
            }
            sleep(limits::POLL).await;
        }
    }

    /// A word on each.
    pub fn summary(&self) -> String {
        let line = |shard: &v1::Shard| {
            format!(
                "{} {} {:?} {}/{}",
                shard.name,
                shard.owner,
                shard.state(),
                shard.position,
                shard.end_position
            )
        };
        self.0.iter().map(line).collect::<Vec<_>>().join(", ")
    }
}
