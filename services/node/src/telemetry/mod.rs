//! What the node says of itself: logs on stderr, metrics and health over HTTP, traces if somebody collects them. None of it is on an
//! event's way: counters and histograms are kept by those who count anyway, once per call or batch, and read when
//! somebody asks; spans are per call.

mod bridges;
pub(crate) mod http;
mod logs;
mod metrics;
mod process;
mod published;
mod series;
mod spans;
mod traces;

pub(crate) use logs::start;
pub(crate) use metrics::Observed;
pub(crate) use spans::CallSpans;
