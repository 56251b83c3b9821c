//! Synthetic shoppers: seeded, repeatable traffic of a whole shop, on an exact schedule. [`shoppers`] make it, [`drive`] keeps the pace,
//! a sink takes it: a node in this process, one behind gRPC, or lines of JSON.

mod browsing;
mod buying;
mod catalogue;
pub(crate) mod command;
mod crowd;
mod drive;
mod faults;
mod grpc;
mod kind;
mod limits;
mod ndjson;
mod options;
mod shop;
mod shoppers;
mod traffic;
mod visit;

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use souk_proto::v1::Event;
use souk_runtime::ports::Clock as _;

use self::drive::{Insisting, Pace, drive};
use self::options::{Options, Share};
use self::traffic::Traffic;
use crate::wiring::SystemClock;

/// The shoppers of `souk dev`: hands events to `sink` at this rate until it is dropped. What the sink refuses in a word is offered
/// again; the schedule goes on meanwhile.
pub(crate) async fn shop<T>(rate: u32, seed: u64, sink: impl Fn(Vec<Event>) -> T)
where
    T: Future<Output = Result<(), String>>,
{
    let now = SystemClock.now();
    let run = run_of(seed, now);
    let options = Options {
        late: Share::percent(1),
        duplicates: Share::percent(1),
        ..Options::new(rate, seed, run, now)
    };
    let traffic = Traffic::new(&options);
    let (_, done): (_, Result<(), Infallible>) =
        drive(traffic, Pace::Schedule, &mut Insisting(sink), std::future::pending()).await;
    let Ok(()) = done;
}

/// A name no other run of this seed has: ids made up twice would be taken for one event told twice.
fn run_of(seed: u64, now_millis: i64) -> String {
    format!("g{seed}.{now_millis:x}")
}
