//! `disk-full`: a data directory on a disk that runs full. Appends are refused and say so, nothing acknowledged is lost, and when there
//! is room again the service goes on, in the same process and after a restart.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::{AckLevel, VerdictView};
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::Common;
use crate::limits;
use crate::measure::clock;
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::souk::shards::Shards;
use crate::traffic::batch;

/// With their padding about 200 KiB: below what a message may be.
const BATCH: u64 = 200;
/// Fills a disk sooner: the reporter's own reference, as long as a text may be.
const PADDING: usize = 900;

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Size of the disk.
    #[arg(long, default_value_t = 256)]
    size_mb: u64,
    /// What of it is taken by something else, and given back later.
    #[arg(long, default_value_t = 96)]
    ballast_mb: u64,
}

/// A small disk of memory, mounted for as long as this lives.
#[derive(Debug)]
struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(megabytes: u64) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("souk-load-disk-").tempdir()?;
        let size = std::ffi::CString::new(format!("size={megabytes}m"))?;
        mount("tmpfs", dir.path(), "tmpfs", MountFlags::empty(), Some(size.as_c_str())).context(
            "mounting a tmpfs takes root and the right to mount; without it this cannot be tested",
        )?;
        Ok(Self { dir })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(error) = unmount(self.dir.path(), UnmountFlags::DETACH) {
            eprintln!("{} stays mounted: {error}", self.dir.path().display());
        }
    }
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let disk = SmallDisk::mount(options.size_mb)?;
    let report = measure(common, options, &disk).await;
    let log = std::fs::read_to_string(disk.path().join("data.log")).unwrap_or_default();
    let report = report.with_context(|| format!("the server's last words:\n{log}"))?;
    report.print(common.json);
    Ok(report)
}

async fn measure(common: &Common, options: &Options, disk: &SmallDisk) -> Result<Report> {
    let mut report = Report::default();
    let binary = common.binary()?;
    let ballast = disk.path().join("ballast");
    fill(&ballast, options.ballast_mb)?;
    let data: PathBuf = disk.path().join("data");
    let mut souk = binary.serve(&data).await?;
    let mut lane = Lane::new(client::connect(&souk.address).await?);

    let mut sent = Sender::default();
    let most = options.size_mb * 1_000_000 / PADDING as u64 * 2;
    let refused = loop {
        if sent.next * BATCH > most {
            bail!("twice the disk's size was taken, and it is not full");
        }
        match sent.send(&mut lane).await {
            Ok(()) => {}
            Err(status) => break status,
        }
    };
    let said = client::reason(&refused);
    report.note("events acknowledged until full", sent.acknowledged as f64, "");
    if refused.code() != Code::ResourceExhausted || said != "DISK_FULL" {
        report.violate(format!(
            "a full disk is answered {:?} {said}, not RESOURCE_EXHAUSTED DISK_FULL",
            refused.code()
        ));
    }
    if let Some(status) = souk.ended()? {
        report.violate(format!("the full disk ended the server: {status}"));
        souk = restarted(&binary, &ballast, &data).await?;
        lane = Lane::new(client::connect(&souk.address).await?);
    } else {
        check(&souk.address, &sent, "while the disk is full", &mut report).await?;
    }

    let freed = Instant::now();
    if ballast.exists() {
        std::fs::remove_file(&ballast)?;
    }
    let resumed = loop {
        match sent.send(&mut lane).await {
            Ok(()) => break true,
            Err(_) if freed.elapsed() > limits::SETTLE => break false,
            Err(_) => sleep(limits::POLL).await,
        }
    };
    report.measure(
        "service resumes after room is made",
        freed.elapsed().as_secs_f64(),
        "s",
        Bar::AtMost(10.0),
    );
    if !resumed {
        report.violate("appends are refused though there is room again");
    }
    check(&souk.address, &sent, "after there was room again", &mut report).await?;
    souk.kill()?;
    let souk = binary.serve(&data).await?;
    check(&souk.address, &sent, "after a crash that followed", &mut report).await?;
    report.note("events acknowledged in all", sent.acknowledged as f64, "");
    souk.stop().await?;
    Ok(report)
}

async fn restarted(
    binary: &crate::souk::process::Binary,
    ballast: &Path,
    data: &Path,
) -> Result<crate::souk::process::Souk> {
    std::fs::remove_file(ballast)?;
    binary.serve(data).await
}

fn fill(ballast: &Path, megabytes: u64) -> Result<()> {
    let mut file = File::create(ballast)?;
    for _ in 0..megabytes {
        file.write_all(&[7; 1 << 20]).context("the ballast does not fit")?;
    }
    Ok(())
}

/// Sends batches one after the other, each until it was acknowledged.
#[derive(Debug, Default)]
struct Sender {
    next: u64,
    acknowledged: u64,
}

impl Sender {
    async fn send(&mut self, lane: &mut Lane) -> Result<(), tonic::Status> {
        let first = self.next * BATCH;
        let request = batch::publish_request(
            (first..first + BATCH).map(event).collect(),
            AckLevel::Logged,
            VerdictView::Problems,
        );
        lane.publish(request).await?;
        self.next += 1;
        self.acknowledged += BATCH;
        Ok(())
    }
}

fn event(n: u64) -> v1::Event {
    v1::Event {
        event_id: format!("full-{n}"),
        event_time: Some(clock::timestamp(clock::now())),
        user_id: format!("u-{}", n % 1_000),
        kind: Some(Kind::ProductView(v1::ProductView {
            product_id: "p-1".to_owned(),
            category: "full".to_owned(),
            brand: "b".repeat(PADDING),
        })),
        ..Default::default()
    }
}

/// Every acknowledged event is counted, and none twice. The batch refused last may be in the journal or not.
async fn check(address: &str, sent: &Sender, when: &str, report: &mut Report) -> Result<()> {
    let channel = client::connect(address).await?;
    Shards::wait(&mut client::admin(channel.clone()), "all is folded", Shards::settled).await?;
    let request = v1::QueryMetricRequest {
        name: "metrics/products".to_owned(),
        window: "total".to_owned(),
        r#where: [("product".to_owned(), "p-1".to_owned())].into(),
        read: Some(v1::ReadOptions {
            freshness: v1::read_options::Freshness::Latest.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut analytics = client::analytics(channel);
    let begun = Instant::now();
    loop {
        let answer = analytics.query_metric(request.clone()).await?.into_inner();
        let views = answer.rows.first().and_then(|row| row.values.get("views")).and_then(|views| views.value);
        let views = match views {
            Some(v1::metric_value::Value::Integer(views)) => u64::try_from(views).unwrap_or_default(),
            _ => 0,
        };
        if (sent.acknowledged..=sent.acknowledged + BATCH).contains(&views) {
            return Ok(());
        }
        if begun.elapsed() > limits::SETTLE / 4 {
            report
                .violate(format!("{when}: {views} events are counted of {} acknowledged", sent.acknowledged));
            return Ok(());
        }
        sleep(limits::POLL).await;
    }
}
