use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use toml::Value;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("souk.toml");
    fs::write(&path, text).expect("written");
    (dir, path)
}

#[test]
fn the_defaults_are_a_configuration_and_name_every_field() {
    let config = load(Sources::default()).expect("the defaults hold").config;
    let written = Value::try_from(&config).expect("a configuration is written").to_string();
    let fields = Value::try_from(&config).expect("a configuration is written");
    let fields: Vec<String> = fields
        .as_table()
        .expect("sections")
        .iter()
        .flat_map(|(section, keys)| {
            keys.as_table().expect("keys").keys().map(move |key| format!("{section}.{key}"))
        })
        .collect();
    let keys: Vec<String> = defaults::keys().into_iter().map(|(key, _)| key).collect();
    assert_eq!(fields, keys);
    assert_eq!(written.parse::<toml::Value>().map(|_| ()), Ok(()));
}

#[test]
fn flags_stand_over_environment_over_file_over_defaults() {
    let (_dir, path) =
        file("[listen]\ngrpc = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:2\"\n\n[shards]\nusers = 16\n");
    let loaded = load(Sources {
        file: Some(path.clone()),
        env: env(&[("SOUK__LISTEN__GRPC", "127.0.0.1:3"), ("SOUK__LISTEN__METRICS", "127.0.0.1:4")]),
        flags: vec![Flag { name: "--listen", key: "listen.grpc", text: "127.0.0.1:5".to_owned() }],
    })
    .expect("holds");
    let Config { listen, shards, .. } = &loaded.config;
    assert_eq!((listen.grpc.port(), listen.metrics.port()), (5, 4));
    assert_eq!((shards.users, shards.products), (16, 8));
    assert_eq!(*loaded.origin("listen.grpc"), Origin::Flag("--listen"));
    assert_eq!(*loaded.origin("listen.metrics"), Origin::Env("SOUK__LISTEN__METRICS".to_owned()));
    assert_eq!(*loaded.origin("shards.users"), Origin::File { path, line: 6 });
    assert_eq!(*loaded.origin("shards.products"), Origin::Default);
}

#[test]
fn all_problems_are_said_at_once_and_quickly() {
    let text = "
[listen]
grcp = \"127.0.0.1:1\"
metrics = \"nowhere\"
[journal]
durability = \"maybe\"
interval = 50
[shards]
users = 0
[nodes]
name = \"n-2\"
top = 1
";
    let (_dir, path) = file(text);
    #[allow(clippy::disallowed_methods)] // measures the real thing
    let began = Instant::now();
    let problems = load(Sources {
        file: Some(path.clone()),
        env: env(&[("SOUK__TRAFFIC__RATE", "many")]),
        flags: vec![Flag { name: "--drain-timeout", key: "node.drain_timeout", text: "soon".to_owned() }],
    })
    .expect_err("does not hold");
    assert!(began.elapsed() < Duration::from_secs(1));
    let said = problems.to_string().replace(&path.display().to_string(), "souk.toml");
    let expected = [
        "the configuration has 9 problems",
        "listen.grcp: is no key of the configuration; did you mean listen.grpc?  (souk.toml:3)",
        "nodes.name: is no key of the configuration; did you mean node.name?  (souk.toml:11)",
        "nodes.top: is no key of the configuration",
        "journal.durability: unknown variant `maybe`, expected `fsync` or `interval`  (souk.toml:6)",
        "journal.interval: wants a duration with its unit, as 250ms, 5s, 30m, 24h or 7d  (souk.toml:7)",
        "listen.metrics: invalid socket address syntax  (souk.toml:4)",
        "traffic.rate: invalid type: string \"many\", expected u32  (env SOUK__TRAFFIC__RATE)",
        "node.drain_timeout: wants a duration with its unit, as 250ms, 5s, 30m, 24h or 7d  (flag --drain-timeout)",
        "shards.users: wants 1 to 1024  (souk.toml:9)",
    ];
    for line in expected {
        assert!(said.contains(line), "{line}\nis not in\n{said}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_one_problem() {
    let (_dir, path) = file("[listen\n");
    let problems = load(Sources { file: Some(path), ..Sources::default() }).expect_err("no TOML").0;
    assert_eq!(problems.len(), 1);
    let missing = Sources { file: Some("no/such/souk.toml".into()), ..Sources::default() };
    assert!(load(missing).expect_err("no file").to_string().contains("No such file"));
}

/// Kubernetes puts `SOUK_PORT=tcp://…` into every pod beside a service named souk.
#[test]
fn what_an_orchestrator_injects_is_left_alone() {
    let loaded = load(Sources {
        env: env(&[
            ("SOUK_PORT", "tcp://10.0.0.1:7070"),
            ("SOUK_SERVICE_HOST", "10.0.0.1"),
            ("SOUK_SERVICE_PORT_GRPC", "7070"),
            ("SOUK_ADDRESS", "10.0.0.1:7070"),
            ("SOUK__LISTEN__GRCP", "127.0.0.1:1"),
        ]),
        ..Sources::default()
    })
    .expect("none of it breaks");
    assert_eq!(
        loaded.warnings,
        [
            "SOUK__LISTEN__GRCP names no key of the configuration and is ignored; did you mean SOUK__LISTEN__GRPC?"
        ]
    );
}

#[test]
fn lists_and_numbers_come_through_the_environment() {
    let loaded = load(Sources {
        env: env(&[
            ("SOUK__LISTEN__WEB_ORIGINS", "https://shop.example, https://admin.example"),
            ("SOUK__OTLP__SAMPLE", "0.5"),
            ("SOUK__TRAFFIC__SEED", "7"),
        ]),
        ..Sources::default()
    })
    .expect("holds");
    assert_eq!(loaded.config.listen.web_origins, ["https://shop.example", "https://admin.example"]);
    assert_eq!((loaded.config.otlp.sample, loaded.config.traffic.seed), (0.5, 7));
}

#[test]
fn a_settings_file_is_read_before_the_node_starts() {
    let (_dir, path) = file("[metric.searches]\nfrom = \"serch\"\nkeys = [[\"query\"]]\nmesures = {}\n");
    let text = path.display().to_string();
    let flags = vec![Flag { name: "--settings", key: "node.settings", text }];
    let problems = load(Sources { flags, ..Sources::default() }).expect_err("two problems").0;
    assert!(problems.len() >= 2, "{problems:?}");
    assert!(problems.iter().all(|problem| problem.key == "node.settings"));
}

/// `souk config reference > docs/configuration.md` makes them the same again.
#[test]
fn the_reference_page_is_up_to_date() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let written = fs::read_to_string(page).expect("docs/configuration.md");
    assert!(written == reference::page(), "souk config reference > docs/configuration.md");
}
