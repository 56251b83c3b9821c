//! Leaving: the first signal drains, a second one ends at once, and the drain timeout ends it in any case.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::exit::{Exit, Failure};
use crate::config::Span;
use crate::wiring::Node;

/// SIGTERM and Ctrl-C, from the moment this was made.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    /// The next of them.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}

/// Serves until a signal comes, then drains. Only a clean drain is no failure.
pub(crate) async fn until_drained(mut node: Node, mut signals: Signals, bound: Span) -> Result<(), Failure> {
    let signal = tokio::select! {
        signal = signals.next() => signal,
        error = node.failed() => return Err(error.into()),
    };
    eprintln!("{signal}: leaving, within {bound}; again to end at once");
    tokio::select! {
        clean = node.drain(bound.0) => match clean {
            true => Ok(()),
            false => Err(Failure::new(Exit::Failed, format_args!("not everything was done within {bound}; the journal has it all"))),
        },
        signal = signals.next() => Err(Failure::new(Exit::Failed, format_args!("{signal} again: ended at once; the journal has it all"))),
    }
}
