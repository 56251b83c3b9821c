//! The servers a cluster stands on, real ones that `docker/services` has started and that are killed, stopped and started again here.
//! Which folder and ports they have is said by the environment, as for the script itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::process;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    Kafka,
    Cassandra,
    Redis,
}

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Cassandra => "cassandra",
            Self::Redis => "redis",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Services {
    script: PathBuf,
}

impl Services {
    pub fn new(script: &Path) -> Result<Self> {
        ensure!(script.exists(), "{} does not exist; name docker/services with --services", script.display());
        Ok(Self { script: script.to_owned() })
    }

    /// Where a server listens, as host:port.
    pub async fn address(&self, server: Server) -> Result<String> {
        Ok(self.tell("address", server).await?.trim().to_owned())
    }

    /// Ends it at once.
    pub async fn kill(&self, server: Server) -> Result<()> {
        self.tell("kill", server).await.map(drop)
    }

    /// Starts it if it does not run, and waits until it answers.
    pub async fn up(&self, server: Server) -> Result<()> {
        self.tell("up", server).await.map(drop)
    }

    /// Stops it where it stands, until what this answers is dropped.
    pub async fn pause(&self, server: Server) -> Result<Paused> {
        let pid = self.pid(server).await?;
        process::signal(pid, Signal::STOP)?;
        Ok(Paused(pid))
    }

    /// Its process.
    pub async fn pid(&self, server: Server) -> Result<u32> {
        let status = self.tell("status", server).await?;
        let mut words = status.split_ascii_whitespace().skip_while(|word| *word != "pid").skip(1);
        let pid = words.next().and_then(|pid| pid.parse().ok());
        pid.with_context(|| format!("{} is no process here: {status}", server.name()))
    }

    async fn tell(&self, what: &'static str, server: Server) -> Result<String> {
        let mut command = Command::new(&self.script);
        command.args([what, server.name()]).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.stderr(Stdio::piped()).output()).await?;
        let output = output.with_context(|| format!("running {}", self.script.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "docker/services {what} {}: {}", server.name(), said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A process that stands still. It goes on when this is dropped, whatever became of the run.
#[derive(Debug)]
pub struct Paused(u32);

impl Drop for Paused {
    fn drop(&mut self) {
        // Gone in the meantime: nothing to wake.
        process::signal(self.0, Signal::CONT).ok();
    }
}
