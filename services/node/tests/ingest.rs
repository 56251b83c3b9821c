//! `souk ingest`, called from outside: files into a node, and what it says about them.

mod support;

use std::path::Path;

use support::{Dev, Ran, run};

const HEADER: &str = "trip_id,region_id,event_time,fare,duration,distance,vehicle_type";

/// A file in a directory of its own.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("written");
    let path = path.to_str().expect("a path").to_owned();
    (dir, path)
}

/// Trips a minute apart, every region in turn; in each hundred one of a region that is none.
fn trips(count: usize, day: &str) -> String {
    let mut text = format!("{HEADER}\n");
    for n in 0..count {
        let (hour, minute) = (n / 60 % 24, n % 60);
        let region = n % 100 + 2;
        text += &format!("t-{n},{region},{day}T{hour:02}:{minute:02}:00Z,12.5,600,3.2,car\n");
    }
    text
}

fn summary(ran: &Ran) -> &str {
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.lines().next().expect("a summary")
}

#[test]
fn trips_are_counted_and_what_is_refused_is_written_down() {
    let dev = Dev::start(&[]);
    let (_dir, path) = file("trips.csv", &trips(1_000, "2024-05-01"));
    let ran = dev.ask(&["ingest", &path, "--as", "trip", "--shift-to-now"]);
    assert_eq!(
        summary(&ran),
        format!("counted 990 · duplicate 0 · late 0 · rejected 10 → {path}.rejects.ndjson")
    );
    let first = ran.out.lines().nth(1).expect("the first problem");
    assert!(
        first.starts_with("  first: line 101, region_id 101: ") && first.ends_with("  [VALUE_OUT_OF_RANGE]"),
        "{first}"
    );
    assert!(ran.err.contains("1,000 lines · "), "{}", ran.err);
    assert!(ran.err.contains("times moved by ") && ran.err.contains(" is now"), "{}", ran.err);
    let rejects = std::fs::read_to_string(format!("{path}.rejects.ndjson")).expect("rejects");
    let rejects: Vec<serde_json::Value> =
        rejects.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let lines: Vec<u64> = rejects.iter().filter_map(|reject| reject["line"].as_u64()).collect();
    assert_eq!(lines, (1..=10).map(|n| n * 100 + 1).collect::<Vec<_>>());
    assert_eq!(rejects[0]["field"], "region_id");
    assert!(rejects[0]["original"].as_str().is_some_and(|line| line.starts_with("t-99,101,")));

    // Again: the same lines have the same ids.
    let again = dev.ask(&["ingest", &path, "--as", "trip", "--shift-to-now", "--max", "50"]);
    assert_eq!(summary(&again), "counted 0 · duplicate 50 · late 0 · rejected 0");
    assert!(!Path::new(&format!("{path}.rejects.ndjson")).exists());
    assert_eq!(dev.end("TERM"), 0);
}

#[test]
fn an_old_file_is_refused_up_front_with_both_ways_out() {
    let dev = Dev::start(&[]);
    let (_dir, path) = file("trips.csv", &trips(10, "2024-05-01"));
    let ran = dev.ask(&["ingest", &path, "--as", "trip"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("begins at 2024-05-01T00:00:00Z: a live node takes nothing older than 7 days"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("--shift-to-now") && ran.err.contains("node.clock = \"history\""),
        "{}",
        ran.err
    );
    assert_eq!(dev.end("TERM"), 0);
}

#[test]
fn what_the_generator_writes_is_ingested_from_a_pipe() {
    let dev = Dev::start(&[]);
    let made =
        run(&["generate", "--to", "ndjson", "--events", "2000", "--rate", "100000", "--malformed", "2%"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let (_dir, path) = file("events.ndjson", &made.out);
    let rejects = format!("{path}.bad");
    let mut command = support::souk(&["ingest", "-", "--address", &dev.address, "--rejects", &rejects]);
    let ran = Ran::of(command.stdin(std::fs::File::open(&path).expect("the file")).output().expect("runs"));
    let counts = summary(&ran);
    let numbers: Vec<u32> =
        counts.split([' ', '·']).filter_map(|word| word.replace(',', "").parse().ok()).collect();
    assert_eq!(numbers.iter().sum::<u32>(), 2_000, "{counts}");
    assert!((20..70).contains(&numbers[3]), "{counts}");
    let written = std::fs::read_to_string(&rejects).expect("rejects").lines().count();
    assert_eq!(written as u32, numbers[3]);
    assert_eq!(dev.end("TERM"), 0);
}

#[test]
fn a_table_with_a_wrong_header_is_refused_before_anything_is_sent() {
    let dev = Dev::start(&[]);
    let (_dir, path) = file("trips.csv", &format!("{HEADER},driver_idd\n"));
    let ran = dev.ask(&["ingest", &path, "--as", "trip"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("there is no column \"driver_idd\"") && ran.err.contains("near: driver_id"),
        "{}",
        ran.err
    );
    assert_eq!(dev.ask(&["ingest", "nowhere.csv"]).code, 1);
    let ran = dev.ask(&["ingest", "-", "--shift-to-now"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(dev.end("TERM"), 0);
}
