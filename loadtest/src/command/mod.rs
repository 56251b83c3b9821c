//! The commands: each starts the server itself, does one thing to it, and reports figures with their bars.

pub mod adopt;
pub mod away;
mod callers;
pub mod chaos;
pub mod crash;
pub mod cut;
pub mod disk_full;
pub mod drain;
pub mod failover;
pub mod ingest;
pub mod latency;
pub mod load;
pub mod observe;
pub mod poison;
pub mod population;
pub mod reads;
pub mod rows;
pub mod start;
pub mod watchers;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::measure::report::Report;
use crate::souk::cluster::Cluster;
use crate::souk::process::{self, Binary};

/// What every command is told.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The server's binary; the `souk` beside this program if none is named.
    #[arg(long, global = true)]
    souk: Option<PathBuf>,
    /// A further flag for the server; may be given several times.
    #[arg(long = "souk-flag", global = true, allow_hyphen_values = true)]
    souk_flags: Vec<String>,
    /// Where data directories are made; the system's place for temporary files if none is named.
    #[arg(long, global = true)]
    work_dir: Option<PathBuf>,
    /// Traffic by this scenario instead of the built-in shop.
    #[arg(long, global = true)]
    pub scenario: Option<PathBuf>,
    /// A line of JSON per figure instead of a table.
    #[arg(long, global = true)]
    pub json: bool,
    /// Fail when a bar is missed, not only when an answer is wrong.
    #[arg(long, global = true)]
    pub strict: bool,
    /// Keep data directories and the server's log.
    #[arg(long, global = true)]
    keep: bool,
}

/// Measures in a place of its own and prints what came of it; of a measurement that fails, the server's last words.
async fn measured(common: &Common, measure: impl AsyncFnOnce(&Place) -> Result<Report>) -> Result<Report> {
    let place = common.place()?;
    let report = measure(&place).await;
    let report = report.with_context(|| format!("the server's last words:\n{}", place.log()))?;
    report.print(common.json);
    Ok(report)
}

/// Measures on nodes that share their shards, and prints what came of it: last how many rows of tables are wrong, as the measurement answers
/// it. Of one that fails, the nodes' last words.
async fn measured_on(
    common: &Common,
    mut cluster: Cluster,
    measure: impl AsyncFnOnce(&mut Cluster, &mut Report) -> Result<usize>,
) -> Result<Report> {
    let mut report = Report::default();
    let measured = measure(&mut cluster, &mut report).await;
    let wrong_tables = measured.with_context(|| format!("the nodes' last words:\n{}", cluster.logs()))?;
    report.print(common.json);
    println!("wrong_tables={wrong_tables}");
    Ok(report)
}

impl Common {
    pub fn binary(&self) -> Result<Binary> {
        Binary::find(self.souk.clone(), self.souk_flags.clone())
    }

    /// A place for data that goes when the run is over.
    pub fn place(&self) -> Result<Place> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("souk-load-").disable_cleanup(self.keep);
        let dir = match &self.work_dir {
            Some(base) => builder.tempdir_in(base),
            None => builder.tempdir(),
        };
        let dir = dir.context("making a place for data")?;
        if self.keep {
            eprintln!("data and log stay in {}", dir.path().display());
        }
        Ok(Place(dir))
    }
}

/// A folder with one data directory and the server's log.
#[derive(Debug)]
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn log(&self) -> String {
        process::tail(&self.0.path().join("data.log"))
    }
}
