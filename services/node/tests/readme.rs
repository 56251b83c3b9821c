//! The README's calls, run against a live shop as a newcomer runs them: their output is what the README says, but for times, ids and
//! counts. Needs grpcurl in the path and port 7070: `make readme` sees to both.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A command of the README and what it says comes of it.
struct Example {
    command: String,
    output: Vec<String>,
}

fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line.strip_prefix("$ ") {
            _ if line == "```console" => inside = true,
            _ if line.starts_with("```") => inside = false,
            Some(command) if inside => {
                examples.push(Example { command: command.to_owned(), output: Vec::new() });
            }
            _ if inside => {
                if let Some(example) = examples.last_mut() {
                    example.output.push(masked(line));
                }
            }
            _ => {}
        }
    }
    examples
}

/// Without what differs from run to run: every number is `#`, every time too.
fn masked(line: &str) -> String {
    let mut out = String::new();
    let is_time = line.contains('T') && line.contains("Z\"");
    for character in line.chars() {
        let digit =
            character.is_ascii_digit() || (is_time && matches!(character, '-' | ':' | '.' | 'T' | 'Z'));
        match digit {
            true if out.ends_with('#') => {}
            true => out.push('#'),
            false => out.push(character),
        }
    }
    out
}

struct Shop(Child);

impl Drop for Shop {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a shop that runs can be closed");
    }
}

fn shop() -> Shop {
    let mut child = Command::new(env!("CARGO_BIN_EXE_souk"))
        .args(["dev", "--data-dir"])
        .arg(tempfile::tempdir().expect("a directory").keep())
        .stdout(Stdio::piped())
        .spawn()
        .expect("souk dev starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let ready = lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ready in")));
    assert!(ready.is_some(), "souk dev says that it is ready");
    std::thread::spawn(move || lines.for_each(drop));
    Shop(child)
}

fn run(command: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_souk")).parent().expect("a folder");
    let output = Command::new("sh")
        .args(["-c", &format!("PATH='{}':\"$PATH\"; {command} 2>&1", folder.display())])
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).lines().map(masked).collect()
}

#[test]
#[ignore = "needs grpcurl and port 7070: make readme"]
fn the_readme_tells_what_happens() {
    let examples = examples(include_str!("../../../README.md"));
    assert!(examples.len() >= 4, "the README shows calls");
    let _shop = shop();
    for Example { command, output } in examples {
        let deadline = std::time::Duration::from_secs(20);
        let began = began();
        let mut got = run(&command);
        // A shop just opened may have no visitors yet.
        while got != output && began.elapsed() < deadline {
            got = run(&command);
        }
        assert_eq!(got.join("\n"), output.join("\n"), "\n{command}");
    }
}

#[allow(clippy::disallowed_methods)] // a test outside the process: it waits by the wall's clock
fn began() -> std::time::Instant {
    std::time::Instant::now()
}
