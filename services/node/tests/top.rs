//! `souk top` without a terminal: the numbers once, as text.

mod support;

use support::{Dev, run};

#[test]
fn off_a_terminal_it_prints_the_numbers_once() {
    let dev = Dev::start(&[]);
    let made = dev.ask(&["generate", "--rate", "4000", "--events", "4000"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let text = support::eventually(|| {
        let ran = dev.ask(&["top"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.contains("p-1 ").then_some(ran.out)
    });
    assert!(
        text.starts_with(&format!("souk {}  {}  live", env!("CARGO_PKG_VERSION"), dev.address)),
        "{text}"
    );
    for part in
        ["events/s ", "people 5m ", "TOP PRODUCTS 1h", "REFERRERS 1h", "CARTS LEFT", "SHARDS 16 serving"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no control sequences");
    assert_eq!(dev.end("TERM"), 0);
}

#[test]
fn nobody_there_is_said_as_by_every_command() {
    let ran = run(&["top", "--address", "127.0.0.1:9"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
}
