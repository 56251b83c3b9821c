//! Nodes run by the built binary as an operator runs them, `souk serve`, beside a real broker with topics of others.

#![allow(dead_code)] // each test binary uses its part

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use souk_journal_kafka::{Sender, SenderOptions};

/// How long anything here may take before the test gives up: nodes wait for groups and servers.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where the broker is.
#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the servers are, and nothing else tells them"
)]
pub(crate) fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable}=host:port must name a real server: `make test-bridges` starts it and sets it")
    })
}

pub(crate) fn broker() -> String {
    server("SOUK_TEST_KAFKA")
}

/// A name nobody has used before.
pub(crate) fn new_name(of: &str) -> String {
    format!("{of}-{}-{:x}", std::process::id(), wall_millis())
}

#[allow(clippy::disallowed_methods)] // real time, beside real servers
pub(crate) fn wall_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("fits")
}

#[allow(clippy::disallowed_methods)] // deadlines of tests are real time
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again until there is what was waited for.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(now() - began < PATIENCE, "it never came: {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Puts messages under their keys into a topic of so many partitions.
pub(crate) async fn fill(
    topic: &str,
    partitions: u16,
    messages: impl IntoIterator<Item = (String, Vec<u8>)>,
) {
    let options = SenderOptions { make: Some(partitions), ..SenderOptions::new(vec![broker()], topic) };
    let sender = Sender::open(options).await.expect("the topic is made");
    for (key, message) in messages {
        sender.send(key.as_bytes(), &message).await.expect("it is taken");
    }
    sender.finish().await.expect("all arrive");
}

/// A node that runs; killed with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
    metrics: String,
    log: PathBuf,
}

impl Served {
    /// Starts one on free ports and waits until it is ready. Its log lies in `dir`, under its name.
    pub(crate) fn start(name: &str, dir: &Path, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let mut served = Self::begin(name, dir, flags, env);
        eventually("it is ready", || {
            served.alive();
            (served.http("/readyz").0 == 200).then_some(())
        });
        served
    }

    fn begin(name: &str, dir: &Path, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let log = dir.join(format!("{name}-{:x}.log", wall_millis()));
        let file = File::create(&log).expect("a log");
        let listen =
            ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--peers-listen"];
        let child = Command::new(env!("CARGO_BIN_EXE_souk"))
            .args(listen)
            .args(["127.0.0.1:0", "--log-format", "json"])
            .args(flags)
            .envs(env.iter().copied())
            .env("SOUK__NODE__NAME", name)
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the binary runs");
        let mut served = Self { child, address: String::new(), metrics: String::new(), log };
        (served.address, served.metrics) = eventually("it has started", || {
            served.alive();
            let said = served.said().into_iter().find(|line| line["message"] == "started")?;
            let word = |field: &str| Some(said[field].as_str()?.to_owned());
            word("grpc").zip(word("metrics"))
        });
        served
    }

    fn alive(&mut self) {
        let ended = self.child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended: {}", self.text());
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log")
    }

    /// Lines of its log.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Ends it as the kernel does when memory is out.
    pub(crate) fn kill(mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("a child that runs can be killed");
    }

    /// Asks it to leave, and waits until it has.
    pub(crate) fn leave(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill runs").success());
        let status = eventually("it leaves", || self.child.try_wait().expect("a child"));
        assert!(status.success(), "{status}: {}", self.text());
    }

    /// Runs a client command against it and reads its answer.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_souk"));
        let out = command.args(arguments).args(["-o", "json", "--address", &self.address]).output();
        let out = out.expect("the binary runs");
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("JSON")
    }

    /// A number of the only row of a metric; no row, nothing was counted.
    pub(crate) fn figure(&self, metric: &str, flags: &[&str], measure: &str) -> i64 {
        let name = format!("metrics/{metric}");
        let answer = self.ask(&[&["get", &name, "--freshness", "owner"], flags].concat());
        let value = &answer["rows"][0]["values"][measure];
        let number = value["integer"].as_str().or(value["amounts"][0]["minorUnits"].as_str());
        number.map_or(0, |number| number.parse().expect("a number"))
    }

    /// A series of its metrics page.
    pub(crate) fn metric(&self, series: &str) -> Option<u64> {
        let page = self.http("/metrics").1;
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(value.parse::<f64>().expect("a number") as u64)
    }

    /// A series of a topic's bridge; none: it is not said.
    pub(crate) fn bridged(&self, series: &str, topic: &str) -> Option<u64> {
        self.metric(&format!("bridge_{series}{{topic=\"{topic}\"}}"))
    }

    fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.metrics).expect("the port is open");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: souk\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().and_then(|()| self.child.wait()).expect("a child that runs can be killed");
        }
    }
}
