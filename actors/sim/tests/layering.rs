//! Dependencies point one way. The table is the rule; a new crate or a new arrow is a decision, made here.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each crate with the crates of ours it may use (tests and benches included).
const MAY_USE: [(&str, &[&str]); 16] = [
    ("souk-proto", &[]),
    ("souk-model", &["souk-proto"]),
    ("souk-formats", &["souk-proto", "souk-model"]),
    ("souk-runtime", &["souk-proto", "souk-model"]),
    // The simulator's ports pass the suites of the runtime's.
    ("souk-sim", &["souk-proto", "souk-model", "souk-runtime"]),
    ("souk-bench", &["souk-proto", "souk-model"]),
    ("souk-kafka", &["souk-model"]),
    ("souk-journal", &["souk-model", "souk-runtime"]),
    ("souk-journal-kafka", &["souk-proto", "souk-model", "souk-formats", "souk-runtime", "souk-kafka"]),
    ("souk-store", &["souk-proto", "souk-model", "souk-runtime"]),
    ("souk-store-cassandra", &["souk-model", "souk-runtime"]),
    ("souk-store-redis", &["souk-model", "souk-runtime"]),
    ("souk-cluster", &["souk-proto", "souk-model", "souk-runtime", "souk-kafka"]),
    ("souk-api", &["souk-proto", "souk-model", "souk-runtime"]),
    (
        "souk-node",
        &[
            "souk-proto",
            "souk-model",
            "souk-formats",
            "souk-runtime",
            "souk-journal",
            "souk-journal-kafka",
            "souk-store",
            "souk-store-cassandra",
            "souk-store-redis",
            "souk-cluster",
            "souk-api",
        ],
    ),
    // Black box: it knows what callers know.
    ("souk-loadtest", &["souk-proto"]),
];

/// What the pure core must not even be able to reach for.
const NOT_IN_THE_CORE: [&str; 9] =
    ["tokio", "tonic", "ractor", "rdkafka", "scylla", "redis", "rand", "chrono", "crossbeam-channel"];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn dependencies(metadata: &serde_json::Value) -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &serde_json::Value| value["name"].as_str().expect("has a name").to_owned();
    metadata["packages"]
        .as_array()
        .expect("lists packages")
        .iter()
        .map(|package| {
            let uses =
                package["dependencies"].as_array().expect("lists dependencies").iter().map(text).collect();
            (text(package), uses)
        })
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let rules = BTreeMap::from(MAY_USE);
    for (package, uses) in dependencies(&metadata()) {
        let allowed = rules.get(package.as_str()).unwrap_or_else(|| panic!("{package} is not in the table"));
        for ours in uses.iter().filter(|name| name.starts_with("souk-")) {
            assert!(allowed.contains(&ours.as_str()), "{package} must not use {ours}");
        }
    }
}

#[test]
fn the_core_has_no_way_out() {
    let all = dependencies(&metadata());
    for banned in NOT_IN_THE_CORE {
        for pure in ["souk-model", "souk-formats"] {
            assert!(!all[pure].contains(banned), "{pure} must stay pure: {banned}");
        }
    }
}
