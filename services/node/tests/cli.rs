//! The command line without a node: help, grammar, configuration, and what is said when nobody is there.

mod support;

use support::{Ran, run, souk};

/// Every command, with those below it.
const COMMANDS: [&str; 26] = [
    "",
    "dev",
    "serve",
    "get",
    "watch",
    "list",
    "call",
    "shards",
    "dead-letters",
    "dead-letters list",
    "dead-letters requeue",
    "settings",
    "settings show",
    "settings apply",
    "health",
    "doctor",
    "config",
    "config show",
    "config default",
    "config reference",
    "generate",
    "ingest",
    "top",
    "completions",
    "migrate",
    "man",
];

/// An address nobody listens at: the discard port of loopback.
const NOBODY: &str = "127.0.0.1:9";

#[test]
fn every_help_begins_with_an_example_and_has_no_colour() {
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let Ran { code, out, err } = run(&words);
        assert_eq!((code, err.as_str()), (0, ""), "{command}");
        let example = out.find("Examples:\n  ").unwrap_or_else(|| panic!("{command}: no example in\n{out}"));
        assert!(example < out.find("Usage:").expect("usage"), "{command}: examples come first\n{out}");
        assert!(
            out[example..].contains(format!("souk {command}").trim_end()),
            "{command}: another's example"
        );
        assert!(!out.contains('\u{1b}'), "{command}: colour in a pipe");
    }
}

#[test]
fn the_list_above_is_whole() {
    let out = run(&["--help"]).out;
    let (_, commands) = out.split_once("Commands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("an end");
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        assert!(COMMANDS.contains(&name), "{name} is missing from the test");
    }
    assert!(out.contains("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not reachable, 4 timed out."));
}

#[test]
fn wrong_usage_is_2() {
    for words in [
        &["frobnicate"][..],
        &["get"],
        &["get", "carts/alice"],
        &["get", "metrics/active_users", "--address", "nowhere"],
        &["list", "users"],
        &["watch", "shards/users-1"],
        &["call", "AnalyticsService/GetActiveUser"],
        &["call", "AnalyticsService/GetActiveUsers", "-d", "{"],
        &["call", "AnalyticsService/GetActiveUsers", "-d", "{\"windw\":1}"],
        &["get", "metrics/m", "--timeout", "5"],
        &["get", "metrics/m", "-o", "yaml"],
    ] {
        let Ran { code, out, err } = run(words);
        assert_eq!((code, out.as_str()), (2, ""), "{words:?}: {err}");
        assert!(err.starts_with("error: "), "{words:?}: {err}");
    }
    let err = run(&["call", "AnalyticsService/GetActiveUser"]).err;
    assert!(err.contains("near: AnalyticsService/GetActiveUsers"), "{err}");
}

#[test]
fn nobody_there_is_3_and_says_what_to_do() {
    let Ran { code, out, err } = run(&["get", "metrics/active_users", "--address", NOBODY]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert_eq!(
        err,
        "error: could not connect to 127.0.0.1:9: connection refused  [exit 3]\n  is Souk running there? start one: \
         souk dev        look closer: souk doctor --address 127.0.0.1:9\n"
    );
    for words in [&["health"][..], &["shards"], &["watch", "users/a"], &["settings", "show"], &["doctor"]] {
        let words: Vec<_> = words.iter().copied().chain(["--address", NOBODY]).collect();
        assert_eq!(run(&words).code, 3, "{words:?}");
    }
}

#[test]
fn waiting_for_nobody_times_out_with_4() {
    let Ran { code, err, .. } =
        run(&["health", "--exit-when-healthy", "--timeout", "300ms", "--address", NOBODY]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("did not serve in time"), "{err}");
}

#[test]
fn configuration_shows_where_each_value_came_from() {
    let mut command = souk(&["config", "show", "--origin", "--listen", "127.0.0.1:0"]);
    command.env("SOUK__SHARDS__USERS", "4").env("SOUK_PORT", "tcp://10.0.0.1:7070").env("SOUK__NOPE__X", "1");
    let Ran { code, out, err } = Ran::of(command.output().expect("runs"));
    assert_eq!(code, 0, "{err}");
    let line = |key: &str| {
        let line = out.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}:\n{out}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("shards.users"), "shards.users 4 env SOUK__SHARDS__USERS");
    assert_eq!(line("shards.products"), "shards.products 8 default");
    assert_eq!(line("listen.grpc"), "listen.grpc \"127.0.0.1:0\" flag --listen");
    assert_eq!(err, "warning: SOUK__NOPE__X names no key of the configuration and is ignored\n");

    let shown = run(&["config", "show", "-o", "json"]).json();
    assert_eq!(shown["journal.durability"]["value"], "fsync");
    assert_eq!(
        run(&["config", "show", "-o", "ndjson"]).out.lines().count(),
        shown.as_object().expect("keys").len()
    );
}

#[test]
fn a_bad_configuration_names_every_problem() {
    let Ran { code, out, err } =
        run(&["serve", "--listen", "nowhere", "--durability", "maybe", "--drain-timeout", "soon"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with("error: the configuration has 3 problems\n"), "{err}");
    assert_eq!(err.lines().count(), 4, "{err}");
}

#[test]
fn scripts_and_pages_are_printed() {
    assert!(run(&["completions", "bash"]).out.contains("_souk()"));
    assert!(run(&["man"]).out.starts_with(".ie"));
    assert!(run(&["man", "settings", "apply"]).out.contains("dry\\-run"));
    assert_eq!(run(&["man", "nothing"]).code, 2);
    assert!(run(&["config", "default"]).out.contains("[journal]"));
}
