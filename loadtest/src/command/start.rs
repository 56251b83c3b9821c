//! `start`: how long from exec to the first correct answer, without state and with a million users in the data directory; and what an
//! idle node with all of them costs.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use souk_proto::v1;
use tokio::time::{Instant, sleep};

use super::{Common, Place, population};
use crate::limits;
use crate::measure::cpu::{self, Usage};
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::souk::process::{Binary, Souk};

/// Starts of each kind; the median counts.
const STARTS: usize = 5;
/// How long an idle node is watched.
const IDLE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let mut report = Report::default();
    let binary = common.binary()?;
    let mut cold = Vec::new();
    for _ in 0..STARTS {
        let empty = common.place()?;
        let (souk, took) = first_answer(&binary, &empty, None).await?;
        cold.push(took);
        souk.stop().await?;
    }
    report.measure("exec to first answer, no state", median(cold) * 1e3, "ms", Bar::AtMost(100.0));

    let souk = binary.serve(&place.data()).await?;
    let filling = Instant::now();
    population::touch(&souk.address, options.users, 0).await?;
    report.note("users", options.users as f64, "");
    report.note("filled in", filling.elapsed().as_secs_f64(), "s");
    souk.stop().await?;

    let mut full = Vec::new();
    for n in 0..STARTS as u64 {
        let user = (n * 7_919) % options.users;
        let (souk, took) = first_answer(&binary, place, Some(user)).await?;
        full.push(took);
        souk.stop().await?;
    }
    report.measure("exec to first answer, with the users", median(full), "s", Bar::AtMost(1.0));

    let (souk, _) = first_answer(&binary, place, Some(0)).await?;
    // Whatever the start left to do is done.
    sleep(IDLE / 4).await;
    let before = Usage::of(souk.pid())?;
    sleep(IDLE).await;
    let used = Usage::of(souk.pid())? - before;
    let share = 100.0 * used.total().as_secs_f64() / IDLE.as_secs_f64();
    report.measure("idle, of one core", share, "%", Bar::AtMost(1.0));
    report.note("server memory", cpu::resident(souk.pid())? as f64 / 1e6, "MB");
    souk.stop().await?;
    Ok(report)
}

/// Starts the server and asks until it answers right: for a user it must know, or that nobody is there.
async fn first_answer(binary: &Binary, place: &Place, user: Option<u64>) -> Result<(Souk, f64)> {
    let souk = binary.start(&place.data())?;
    let deadline = souk.started + limits::READY;
    loop {
        match asked(&souk.address, user).await {
            Ok(true) => {
                let took = souk.started.elapsed().as_secs_f64();
                return Ok((souk, took));
            }
            Ok(false) if Instant::now() > deadline => anyhow::bail!("the first answer is still wrong"),
            Err(error) if Instant::now() > deadline => return Err(error.context("there is no first answer")),
            Ok(false) | Err(_) => sleep(limits::READY_POLL).await,
        }
    }
}

async fn asked(address: &str, user: Option<u64>) -> Result<bool> {
    let channel = client::connect(address).await?;
    match user {
        None => {
            let answer =
                client::analytics(channel).get_active_users(v1::GetActiveUsersRequest::default()).await?;
            Ok(answer.into_inner().users.unwrap_or_default() == 0)
        }
        Some(user) => {
            let name = format!("users/{}/sessions/latest", population::user(user));
            let answer =
                client::users(channel).get_session(v1::GetSessionRequest { name, read: None }).await?;
            Ok(answer.into_inner().session.is_some())
        }
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
