//! What went wrong, as a person at a prompt can use it: the reason's name, near names, the page of the reason; for a node that is not
//! there, the cause below the transport's own words.

use std::error::Error;
use std::io;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::cli::exit::{Exit, Failure};

/// What a call that failed means. The reason stands in the status's ErrorInfo.
pub(crate) fn of_status(status: &Status, address: &str) -> Failure {
    let Some(info) = status.get_details_error_info() else {
        return without_reason(status, address);
    };
    let exit = match status.code() {
        Code::Unavailable => Exit::Unreachable,
        Code::DeadlineExceeded => Exit::TimedOut,
        _ => Exit::Failed,
    };
    let mut failure = Failure::new(exit, format_args!("{}  [{}]", status.message(), info.reason));
    for violation in status.get_details_bad_request().into_iter().flat_map(|bad| bad.field_violations) {
        if !status.message().contains(&violation.description) {
            failure = failure.hint(format_args!("{}: {}", violation.field, violation.description));
        }
    }
    let mut ways = Vec::new();
    if let Some(near) = info.metadata.get("near").filter(|near| !near.is_empty()) {
        ways.push(format!("near: {near}"));
    }
    if let Some(command) = listing(&info.reason) {
        ways.push(format!("all: {command}"));
    }
    ways.push(format!("more: docs/errors.md#{}", info.reason));
    failure.hint(ways.join("        "))
}

/// The command that lists what there is instead.
fn listing(reason: &str) -> Option<&'static str> {
    match reason {
        "METRIC_UNKNOWN" | "WINDOW_NOT_DECLARED" | "KEY_NOT_DECLARED" | "MEASURE_NOT_RANKED" => {
            Some("souk list metrics")
        }
        "SHARD_MOVING" | "POSITION_NOT_REACHED" => Some("souk shards"),
        "NODE_DRAINING" | "JOURNAL_UNAVAILABLE" | "STORE_UNAVAILABLE" => Some("souk list nodes"),
        _ => None,
    }
}

/// The transport's own failures, and servers that are not Souk.
fn without_reason(status: &Status, address: &str) -> Failure {
    match status.code() {
        Code::DeadlineExceeded => timed_out(address),
        Code::Cancelled if status.message().contains("Timeout") => timed_out(address),
        Code::Unavailable | Code::Unknown if status.source().is_some() => unreachable(address, status),
        Code::Unavailable => Failure::new(Exit::Unreachable, format_args!("{address}: {}", status.message())),
        Code::Unimplemented => Failure::new(Exit::Failed, format_args!("{address} does not know this call"))
            .hint("is it Souk, and of this version? souk doctor"),
        code => Failure::new(Exit::Failed, format_args!("{}  [{code:?}]", status.message())),
    }
}

fn timed_out(address: &str) -> Failure {
    Failure::new(Exit::TimedOut, format_args!("{address} did not answer in time  [exit 4]"))
        .hint("wait longer: --timeout 30s        look closer: souk doctor")
}

/// Nobody is there.
pub(crate) fn unreachable(address: &str, error: &(dyn Error + 'static)) -> Failure {
    let cause = cause(error);
    Failure::new(Exit::Unreachable, format_args!("could not connect to {address}: {cause}  [exit 3]")).hint(
        format_args!(
            "is Souk running there? start one: souk dev        look closer: souk doctor --address {address}"
        ),
    )
}

/// The deepest cause, in the system's words without its number: "connection refused".
pub(crate) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    loop {
        match deepest.downcast_ref::<io::Error>() {
            Some(io) if io.raw_os_error().is_some() => return io.kind().to_string(),
            _ => {}
        }
        match deepest.source() {
            Some(source) => deepest = source,
            None => return deepest.to_string(),
        }
    }
}
