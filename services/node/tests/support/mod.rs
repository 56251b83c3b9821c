//! Runs the built binary as a person would: arguments in, stdout, stderr and exit code out.

#![allow(dead_code)] // each test binary uses its part

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything here may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with a clean environment of its own keys.
pub(crate) fn souk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souk"));
    command.args(arguments).env_remove("SOUK_ADDRESS").env_remove("NO_COLOR");
    command
}

/// Runs to the end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    Ran::of(souk(arguments).output().expect("the binary runs"))
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// A command that goes on, ended with the test.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it has printed so far.
    pub(crate) said: String,
    /// Where it makes temporary directories: one that is killed leaves them.
    _temporary: tempfile::TempDir,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// The same with configuration from the environment.
    fn start_with(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut command = souk(arguments);
        command
            .env("TMPDIR", temporary.path())
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, out, said: String::new(), _temporary: temporary }
    }

    /// Reads lines until one holds this, and gives that line.
    pub(crate) fn read_until(&mut self, end: &str) -> String {
        let began = now();
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line).expect("text") == 0 {
                let mut err = String::new();
                let mut stderr = self.child.stderr.take().expect("piped");
                stderr.read_to_string(&mut err).expect("text");
                panic!("ended before {end:?}:\n{}{err}", self.said);
            }
            self.said += &line;
            if line.contains(end) {
                return line;
            }
            assert!(now() - began < PATIENCE, "no {end:?} in\n{}", self.said);
        }
    }

    /// Sends a signal by name.
    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().expect("kill runs").success());
    }

    /// Waits for the end.
    fn ended(&mut self) -> i32 {
        let began = now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code().unwrap_or(-1);
            }
            assert!(now() - began < PATIENCE, "does not end");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().and_then(|()| self.child.wait()).expect("a child that runs can be killed");
        }
    }
}

/// A running `souk dev` without shoppers.
pub(crate) struct Dev {
    running: Running,
    pub(crate) address: String,
    pub(crate) metrics: String,
}

impl Dev {
    /// Starts one on free ports and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    /// The same at an address.
    pub(crate) fn start_at(address: &str, arguments: &[&str]) -> Self {
        Self::begin(address, &[&["--no-traffic"], arguments].concat(), &[])
    }

    /// The same with its shoppers.
    pub(crate) fn start_with_traffic(arguments: &[&str]) -> Self {
        Self::begin("127.0.0.1:0", arguments, &[])
    }

    /// Without shoppers, and with configuration from the environment.
    pub(crate) fn start_with(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self::begin("127.0.0.1:0", &[&["--no-traffic"], arguments].concat(), env)
    }

    fn begin(address: &str, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let ports = ["dev", "--listen", address, "--metrics-listen", "127.0.0.1:0"];
        let mut running = Running::start_with(&[&ports[..], arguments].concat(), env);
        running.read_until("at once.");
        let word = |after: &str| {
            let (_, rest) = running.said.split_once(after).expect(after);
            rest.split_whitespace().next().expect("a word").to_owned()
        };
        let (address, metrics) = (word("gRPC-Web "), word("health   http://"));
        Self { running, address, metrics }
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> &str {
        &self.running.said
    }

    /// Runs a client command against it.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Ran {
        run(&[arguments, &["--address", &self.address]].concat())
    }

    /// Begins one that goes on.
    pub(crate) fn follow(&self, arguments: &[&str]) -> Running {
        Running::start(&[arguments, &["--address", &self.address]].concat())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.child.id()
    }

    /// Sends a signal by name, and waits for the end.
    pub(crate) fn end(mut self, signal: &str) -> i32 {
        self.signal(signal);
        self.running.ended()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        self.running.signal(signal);
    }

    /// Waits for the end: the exit code, and everything it said on stderr.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let code = self.running.ended();
        let mut err = String::new();
        self.running.child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        (code, err)
    }

    /// One HTTP/1.1 request to the port of metrics and health: the status and the body.
    pub(crate) fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.metrics).expect("the port is open");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: souk\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }
}

/// Looks again until there is what was waited for.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(now() - began < PATIENCE, "it never came");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

// Deadlines of tests are real time.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}
