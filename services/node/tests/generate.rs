//! `souk generate`, called from outside: repeatable lines, and traffic a node counts.

mod support;

use std::process::Stdio;

use support::{Dev, Ran, run};

const LINES: [&str; 8] =
    ["generate", "--to", "ndjson", "--start-time", "2026-11-21T09:00:00Z", "--rate", "500", "--events"];

fn lines(more: &[&str]) -> String {
    let ran = run(&[&LINES[..], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn the_same_seed_writes_the_same_bytes_and_another_one_others() {
    let faults = ["2000", "--late", "5%", "--duplicates", "0.05", "--malformed", "2%", "--seed"];
    let seeded = |seed: &'static str| lines(&[&faults[..], &[seed]].concat());
    let first = seeded("7");
    assert_eq!(first.lines().count(), 2_000);
    assert_eq!(first, seeded("7"));
    assert_ne!(first, seeded("8"));
}

#[test]
fn lines_are_events_as_the_api_prints_them_and_times_follow_the_rate() {
    let text = lines(&["1200"]);
    for (n, line) in text.lines().enumerate() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(event["eventId"], format!("g1-{n}"));
        let millis = n * 2;
        let time = match (millis / 1_000, millis % 1_000) {
            (second, 0) => format!("2026-11-21T09:00:{second:02}Z"),
            (second, part) => format!("2026-11-21T09:00:{second:02}.{part:03}Z"),
        };
        assert_eq!(event["eventTime"], time);
    }
    assert!(text.starts_with(
        r#"{"eventId":"g1-0","eventTime":"2026-11-21T09:00:00Z","source":"catalogue","productStep":{"#
    ));
}

#[test]
fn a_file_is_what_standard_output_would_be() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.ndjson");
    let path = path.to_str().expect("a path");
    let ran = run(&[&LINES[..], &["300", "--out", path]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(ran.err, "300 events\n");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), lines(&["300"]));
}

#[test]
fn lines_are_written_in_other_peoples_forms_on_the_same_schedule() {
    for (form, path, kinds) in [
        ("cartpulse", "eventType", &["page_view", "add_to_cart", "checkout"][..]),
        ("commerce", "transactionType", &["purchase", "refund", "transfer"]),
        ("kartshoppe", "eventType", &["PAGE_VIEW", "ADD_TO_CART", "ORDER_PLACED", "PRODUCT_SEARCH"]),
    ] {
        let text = lines(&["3000", "--format", form]);
        let told: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(told.len(), 3_000, "{form}: what it has no word for takes no slot");
        for kind in kinds {
            assert!(told.iter().any(|line| line[path] == *kind), "{form}: {kind}");
        }
    }
    let trips = lines(&["50", "--format", "streampulse"]);
    assert!(trips.lines().all(|line| line.contains(r#""region_id":"#)), "{trips}");
}

#[test]
fn wrong_options_are_refused_in_words() {
    for (flags, words) in [
        (&["--format", "cartpulse"][..], "--format is for lines and messages"),
        (&["--to", "ndjson", "--format", "cartpuls"], "near: cartpulse"),
        (&["--to", "kafka://nowhere"], "wants grpc, ndjson or kafka://HOST:PORT/TOPIC"),
        (&["--weights", "views=1"][..], "there is no kind \"views\""),
        (&["--late", "2"], "wants a share from 0 to 1"),
        (&["--rate", "0"], "0 is not in 1..="),
        (&["--out", "x"], "--out is for lines"),
    ] {
        let ran = run(&[&["generate"], flags].concat());
        assert_eq!(ran.code, 2, "{flags:?}");
        assert!(ran.err.contains(words), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn a_node_counts_what_was_made_and_says_what_was_not() {
    let dev = Dev::start(&[]);
    let ran = dev.ask(&[
        "generate",
        "--rate",
        "2000",
        "--events",
        "3000",
        "--malformed",
        "1%",
        "--duplicates",
        "1%",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let [counted, duplicate, late, rejected] = counts(&ran.out)[..] else { panic!("{}", ran.out) };
    assert_eq!(counted + duplicate + late + rejected, 3_000, "{}", ran.out);
    assert!((10..60).contains(&rejected) && (10..60).contains(&duplicate) && late == 0, "{}", ran.out);
    assert!(ran.out.contains("\n  first: g1."), "{}", ran.out);
    let events = dev.ask(&["get", "metrics/active_users", "-o", "json", "--freshness", "latest"]).json();
    let users = events["rows"][0]["values"]["users"]["integer"].as_str().map(str::to_owned);
    assert!(users.is_some_and(|users| users.parse::<u32>().is_ok_and(|users| users > 100)), "{events}");
    assert_eq!(dev.end("TERM"), 0);
}

/// The numbers of a summary: counted, duplicate, late, rejected.
fn counts(out: &str) -> Vec<u32> {
    let first = out.lines().next().expect("a summary");
    first.split([' ', '·']).filter_map(|word| word.replace(',', "").parse().ok()).collect()
}

#[test]
fn a_node_that_dies_and_comes_back_gets_what_it_had_not_acknowledged() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = ["--data-dir", dir.path().to_str().expect("a path")];
    let dev = Dev::start_at("127.0.0.1:0", &kept);
    let address = dev.address.clone();
    let flags = ["generate", "--rate", "500", "--events", "3000", "--address", &address];
    let generating =
        support::souk(&flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    support::eventually(|| {
        let users = dev.ask(&["get", "metrics/active_users", "-o", "json"]).json();
        users["rows"][0]["values"]["users"]["integer"].as_str().is_some().then_some(())
    });
    dev.end("KILL");
    let dev = Dev::start_at(&address, &kept);
    let ran = Ran::of(generating.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("going on where it stopped"), "{}", ran.err);
    let counts = counts(&ran.out);
    assert_eq!(counts.iter().sum::<u32>(), 3_000, "every event has its verdict: {}", ran.out);
    assert_eq!(counts[2..], [0, 0], "{}", ran.out);
    assert_eq!(dev.end("TERM"), 0);
}

#[test]
fn shoppers_of_dev_shop() {
    let dev = Dev::start_with_traffic(&["--rate", "400"]);
    support::eventually(|| {
        let answer = dev.ask(&["get", "metrics/visits", "--window", "1h", "-o", "json"]).json();
        let sessions = answer["rows"][0]["values"]["sessions"]["integer"].as_str()?;
        (sessions.parse::<u32>().ok()? > 50).then_some(())
    });
    assert_eq!(dev.end("INT"), 0);
}
