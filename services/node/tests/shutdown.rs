//! How a node leaves when leaving takes too long: for its drain timeout, and for whoever waits at the terminal.

mod support;

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Dev, eventually};

/// What the documentation of exit codes calls failed.
const FAILED: i32 = 1;

/// Asks it to leave, and waits until it says that it does.
fn leave(dev: &Dev, signal: &str) {
    dev.signal(signal);
    eventually(|| dev.http("/readyz").1.contains("\"draining\":true").then_some(()));
}

// What is told apart here is real time.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let notice = [("SOUK__NODE__DRAIN_NOTICE", "50s")];
    let dev = Dev::start_with(&["--drain-timeout", "55s"], &notice);
    leave(&dev, "INT");
    let asked_again = now();
    dev.signal("INT");
    let (code, err) = dev.ended();
    assert_eq!(code, FAILED, "{err}");
    assert!(err.contains("Ctrl-C: leaving, within 55s; again to end at once"), "{err}");
    assert!(err.contains("error: Ctrl-C again: ended at once; the journal has it all"), "{err}");
    assert!(asked_again.elapsed() < Duration::from_secs(20), "it did not wait for its notice to be over");
}

#[test]
fn a_call_that_never_ends_does_not_hold_it_past_its_drain_timeout() {
    let dev = Dev::start_with(&["--drain-timeout", "2s"], &[]);
    // A request whose body never comes: gRPC-Web, for the plain text of its head.
    let mut caller = TcpStream::connect(&dev.address).expect("the port is open");
    let head = "POST /souk.v1.EventService/PublishEvents HTTP/1.1\r\nhost: souk\r\n\
                content-type: application/grpc-web+proto\r\ncontent-length: 100\r\n\r\n";
    caller.write_all(head.as_bytes()).expect("sent");
    eventually(|| dev.http("/metrics").1.contains("rpc_server_calls_total 1\n").then_some(()));
    let asked = now();
    dev.signal("TERM");
    let (code, err) = dev.ended();
    assert_eq!(code, FAILED, "{err}");
    assert!(err.contains("error: not everything was done within 2s; the journal has it all"), "{err}");
    assert!(asked.elapsed() < Duration::from_secs(9), "the call alone could take ten seconds");
}
