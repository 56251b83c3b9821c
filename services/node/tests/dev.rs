//! `souk dev`, called from outside by the binary's own commands.

mod support;

use support::{Dev, Ran, run};

/// Publishes as a customer would, and gives the position.
fn publish(dev: &Dev, events: &str) -> serde_json::Value {
    let request = format!("{{\"ack\":\"ACK_LEVEL_APPLIED\",\"events\":[{events}]}}");
    dev.ask(&["call", "EventService/PublishEvents", "-d", &request]).json()
}

#[test]
fn it_says_where_how_safe_and_what_to_try() {
    let dev = Dev::start(&[]);
    let address = &dev.address;
    let lines: Vec<&str> = dev.said().lines().collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines[0],
        format!(
            "souk {version} · dev · shop main · one process, 8 + 8 shards · data in a temporary directory (keep it: --data-dir DIR)"
        )
    );
    assert!(lines[1].starts_with(&format!("  gRPC, gRPC-Web   {address}")), "{}", lines[1]);
    assert_eq!(
        lines[2],
        "  an ack means     on disk: fsync, group commit (--durability interval is faster, and says so here)"
    );
    assert_eq!(lines[3], "  traffic          none");
    assert!(lines[4].starts_with("ready in ") && lines[4].ends_with(" s"), "{}", lines[4]);
    let calls = lines.iter().filter(|line| line.starts_with("  grpcurl -plaintext")).count();
    assert_eq!(calls, 3, "{}", dev.said());
    assert_eq!(lines.last(), Some(&"Ctrl-C stops cleanly, a second one at once."));
    assert_eq!(dev.end("INT"), 0);
}

#[test]
fn a_customer_reads_what_she_wrote() {
    let dev = Dev::start(&[]);
    let reply = publish(
        &dev,
        r#"{"event_id":"e-1","user_id":"me","page_view":{"page":"/mugs"}},{"event_id":"e-2","user_id":"me","product_view":{}}"#,
    );
    assert_eq!(reply["verdicts"][0]["outcome"], "OUTCOME_COUNTED");
    assert_eq!(reply["verdicts"][1]["reason"], "FIELD_MISSING");
    let position = reply["position"].as_str().expect("a position");

    let rows = dev.ask(&["get", "metrics/active_users", "--min-position", position, "-o", "json"]).json();
    assert_eq!(rows["rows"][0]["values"]["users"]["integer"], "1", "{rows:#}");
    let table = dev.ask(&["get", "metrics/active_users"]);
    assert!(table.out.starts_with("users\n    1\nwindow 5m/1s, "), "{}", table.out);
    assert!(table.out.contains(" · as of "), "{}", table.out);

    let user = dev.ask(&["get", "users/me", "-o", "json"]).json();
    assert_eq!(user["name"], "users/me", "{user:#}");
    let events = dev.ask(&["list", "users/me/events", "-o", "ndjson"]);
    assert_eq!(events.out.lines().count(), 1, "{}", events.out);
    assert!(dev.ask(&["list", "users/me/sessions"]).out.contains("users/me/sessions/"));
}

#[test]
fn a_wrong_name_is_answered_with_near_ones() {
    let dev = Dev::start(&[]);
    let Ran { code, out, err } = dev.ask(&["get", "metrics/active_user"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(
        err,
        "error: metric \"active_user\" is not declared  [METRIC_UNKNOWN]\n  near: active_users        all: souk list metrics\
        \x20       more: docs/errors.md#METRIC_UNKNOWN\n"
    );
}

#[test]
fn the_machine_room_answers() {
    let dev = Dev::start(&[]);
    assert_eq!(dev.ask(&["health", "--exit-when-healthy", "--timeout", "30s"]).code, 0);
    assert_eq!(dev.ask(&["health"]).out, "serving\n");
    let shards = dev.ask(&["shards"]);
    assert_eq!(shards.out.lines().count(), 17, "{}{}", shards.out, shards.err);
    assert_eq!(dev.ask(&["get", "shards/users-3", "-o", "json"]).json()["name"], "shards/users-3");
    assert!(dev.ask(&["list", "metrics"]).out.contains("metrics/active_users"));
    assert!(dev.ask(&["settings", "show"]).out.starts_with("# settings "));
    assert_eq!(dev.ask(&["dead-letters", "list"]).code, 0);
    let doctor = dev.ask(&["doctor", "-o", "json"]);
    assert!(doctor.out.contains("16 of 16 serve"), "{}", doctor.out);
}

#[test]
fn a_metric_of_ones_own_takes_five_lines() {
    let dev = Dev::start(&[]);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("my.toml");
    let toml = "[metric.searches]\nfrom = \"search\"\nkeys = [[\"query\"]]\nmeasures = { searches = { count = true } }\nrank = [\"searches\"]\n";
    std::fs::write(&file, toml).expect("written");
    let file = file.to_str().expect("text");
    let dry = dev.ask(&["settings", "apply", file, "--dry-run"]);
    assert!(dry.out.starts_with("+ searches"), "{}{}", dry.out, dry.err);
    let applied = dev.ask(&["settings", "apply", file]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    let reply = publish(
        &dev,
        r#"{"user_id":"a","search":{"query":"teapot"}},{"user_id":"b","search":{"query":"blue mug"}},{"user_id":"a","search":{"query":"blue mug"}}"#,
    );
    let position = reply["position"].as_str().expect("a position");
    let searches = ["get", "metrics/searches", "--window", "5m", "--top", "3", "--min-position", position];
    let table = dev.ask(&searches);
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(
        lines[..3],
        ["#  query     searches", "1  blue mug         2", "2  teapot           1"],
        "{}{}",
        table.out,
        table.err
    );
}

#[test]
fn metrics_and_health_are_on_the_http_port() {
    let dev = Dev::start(&[]);
    publish(&dev, r#"{"user_id":"a","page_view":{"page":"/"}}"#);
    assert_eq!(dev.http("/healthz"), (200, "alive\n".to_owned()));
    let (status, ready) = dev.http("/readyz");
    assert_eq!((status, ready.contains("\"ready\":true")), (200, true), "{ready}");
    let (status, page) = dev.http("/metrics");
    assert_eq!(status, 200);
    for name in [
        "events_received_total 1\n",
        "events_ingested_total{type=\"page_view\"} 1\n",
        "events_ingested_total{type=\"trip\"} 0\n",
        "ingest_to_visible_seconds_count 1\n",
        "subscription_lagged_total 0\n",
        "rpc_server_call_duration_seconds_bucket{le=\"0.0005\",rpc_system_name=\"grpc\"",
        "rpc_method=\"souk.v1.EventService/PublishEvents\",rpc_response_status_code=\"OK\"} 1\n",
        "late_events_total 0\n",
        "subscribers 0",
        "shard_mailbox_depth{shard=\"users-0\"}",
        "watermark_lag_seconds{shard=\"users-",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "souk_build_info{version=",
    ] {
        assert!(page.contains(name), "no {name:?} in\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
    assert_eq!(dev.http("/nothing").0, 404);
}

#[test]
fn one_port_and_one_directory_are_one_process_s() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = dir.path().to_str().expect("text");
    let dev = Dev::start(&["--data-dir", kept]);
    let port = dev.address.rsplit_once(':').expect("a port").1;

    let metrics = ["--metrics-listen", "127.0.0.1:0"];
    let taken = run(&[&["dev", "--no-traffic", "--listen", &dev.address][..], &metrics].concat());
    assert_eq!(taken.code, 1);
    assert_eq!(taken.err, format!("error: port {port} is taken; --listen 127.0.0.1:0 picks a free one\n"));

    let locked = run(&[
        &["dev", "--no-traffic", "--listen", "127.0.0.1:0", "--data-dir", kept][..],
        &metrics,
    ]
    .concat());
    assert_eq!(locked.code, 1);
    assert_eq!(locked.err, format!("error: {kept} is in use by souk, process {}\n", dev.pid()));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = ["--data-dir", dir.path().to_str().expect("text")];
    let dev = Dev::start(&kept);
    let reply = publish(&dev, r#"{"event_id":"e-1","user_id":"me","page_view":{"page":"/"}}"#);
    let position = reply["position"].as_str().expect("a position").to_owned();
    dev.end("KILL");

    let dev = Dev::start(&kept);
    let rows = dev.ask(&["get", "metrics/active_users", "--min-position", &position, "-o", "json"]).json();
    assert_eq!(rows["rows"][0]["values"]["users"]["integer"], "1", "{rows:#}");
    let again = publish(&dev, r#"{"event_id":"e-1","user_id":"me","page_view":{"page":"/"}}"#);
    assert_eq!(again["verdicts"][0]["outcome"], "OUTCOME_DUPLICATE");
    assert_eq!(dev.end("TERM"), 0);
}

/// One loop for every stream: the token of the last frame, given back, at whatever listens there next.
#[test]
fn a_watch_goes_on_when_the_node_comes_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = ["--data-dir", dir.path().to_str().expect("text")];
    let dev = Dev::start(&kept);
    publish(&dev, r#"{"user_id":"a","page_view":{"page":"/"}}"#);
    let mut watch = dev.follow(&["watch", "metrics/active_users", "-o", "ndjson"]);
    watch.read_until("KIND_SNAPSHOT_END");
    let address = dev.address.clone();
    assert_eq!(dev.end("TERM"), 0);
    watch.read_until("KIND_GO_AWAY");

    let dev = Dev::start_at(&address, &kept);
    publish(&dev, r#"{"user_id":"b","page_view":{"page":"/"}}"#);
    watch.read_until(r#""users":{"integer":"2"}"#);
}
