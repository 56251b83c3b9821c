//! The `souk` process: started with its flags, waited for by its health service, ended by signals. A process never outlives its handle.

use std::fs::OpenOptions;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::client;
use crate::limits;

/// How to start the server.
#[derive(Debug, Clone)]
pub struct Binary {
    pub path: PathBuf,
    /// Further flags, as given by whoever runs the test.
    pub flags: Vec<String>,
    /// Configuration for which there is no flag.
    pub env: Vec<(String, String)>,
    /// The system's user it runs as, where a rule of the firewall must tell it from others; the caller's if none.
    pub user: Option<u32>,
    /// Loopback ports that stay the same over restarts, so that clients find the server again.
    port: u16,
    metrics_port: u16,
}

impl Binary {
    /// The binary beside this one, unless another is named.
    pub fn find(path: Option<PathBuf>, flags: Vec<String>) -> Result<Self> {
        let path = match path {
            Some(path) => path,
            None => std::env::current_exe().context("finding this program")?.with_file_name("souk"),
        };
        if !path.exists() {
            bail!("{} does not exist; name the server with --souk PATH", path.display());
        }
        let (port, metrics_port) = (free_port()?, free_port()?);
        Ok(Self { path, flags, env: Vec::new(), user: None, port, metrics_port })
    }

    /// The same binary on ports of its own, for a node beside this one.
    pub fn beside(&self) -> Result<Self> {
        Ok(Self { port: free_port()?, metrics_port: free_port()?, ..self.clone() })
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it on a data directory. What it says goes to `souk.log` beside the directory.
    pub fn start(&self, data: &Path) -> Result<Souk> {
        let log = data.with_extension("log");
        let log =
            OpenOptions::new().create(true).append(true).open(&log).context("opening the server's log")?;
        let started = Instant::now();
        let metrics = format!("127.0.0.1:{}", self.metrics_port);
        let mut command = Command::new(&self.path);
        if let Some(user) = self.user {
            command.uid(user);
        }
        let child = command
            .arg("serve")
            .args(["--listen", &self.address()])
            .args(["--metrics-listen", &metrics])
            .arg("--data-dir")
            .arg(data)
            .args(&self.flags)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.path.display()))?;
        Ok(Souk { child, address: self.address(), metrics, started })
    }

    /// Starts it and waits until it serves.
    pub async fn serve(&self, data: &Path) -> Result<Souk> {
        let mut souk = self.start(data)?;
        souk.ready(limits::READY).await?;
        Ok(souk)
    }
}

/// A port nobody listens on, at this moment.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A running server.
#[derive(Debug)]
pub struct Souk {
    child: Child,
    pub address: String,
    /// Its HTTP port.
    pub metrics: String,
    /// When it was executed.
    pub started: Instant,
}

impl Souk {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the health service says SERVING.
    pub async fn ready(&mut self, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended before it served ({status}); see its log");
            }
            if serves(&self.address).await {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the server does not serve after {within:?}");
            }
            sleep(limits::READY_POLL).await;
        }
    }

    /// Ends it at once, as a power cut would end the process, and takes its place in the process table away.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to drain.
    pub fn terminate(&self) -> Result<()> {
        signal(self.pid(), Signal::TERM).context("asking the server to drain")
    }

    /// Stops it where it stands: it holds what it holds, hears nothing and says nothing until it goes on.
    pub fn pause(&self) -> Result<()> {
        signal(self.pid(), Signal::STOP).context("stopping the server")
    }

    pub fn go_on(&self) -> Result<()> {
        signal(self.pid(), Signal::CONT).context("letting the server go on")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it has ended.
    pub async fn gone(&mut self, within: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the server is still there {within:?} after it was asked to drain");
            }
            sleep(limits::READY_POLL).await;
        }
    }

    /// Drains it and waits until it has ended.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.terminate()?;
        self.gone(limits::GONE).await
    }
}

impl Drop for Souk {
    fn drop(&mut self) {
        // Ended already: nothing to end.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(limits::SHOWN)..].join("\n")
}

pub(super) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process has an id")?;
    Ok(kill_process(pid, signal)?)
}

async fn serves(address: &str) -> bool {
    let Ok(channel) = client::connect(address).await else { return false };
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}
