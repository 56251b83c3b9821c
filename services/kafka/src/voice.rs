//! What a client library's thread tells us: its log, and errors that are about no record.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;

use crate::limits::{HEARD, LISTEN, QUIET, SAID_LINES};

/// Listens to one client.
#[derive(Debug, Default)]
pub struct Voice {
    heard: Mutex<Heard>,
    fatal: AtomicBool,
}

#[derive(Debug, Default)]
struct Heard {
    /// The newest thing it said went wrong.
    last: Option<String>,
    /// Something that waiting does not cure.
    hopeless: Option<String>,
}

impl Voice {
    pub fn last(&self) -> Option<String> {
        self.heard.lock().last.clone()
    }

    pub fn hopeless(&self) -> Option<String> {
        self.heard.lock().hopeless.clone()
    }

    /// Whether a producer must be replaced: librdkafka refuses everything after such an error.
    pub fn is_fatal(&self) -> bool {
        self.fatal.load(Ordering::Acquire)
    }

    pub fn set_fatal(&self) {
        self.fatal.store(true, Ordering::Release);
    }
}

/// Hears what a client that nobody polls otherwise has to say. Blocks for a moment.
pub fn listen<C: ConsumerContext>(client: &BaseConsumer<C>) {
    let mut left = HEARD;
    while left > 0 && client.poll(LISTEN).is_some() {
        left -= 1;
    }
}

/// Says a line of the client's own log. What it calls an error is most often a connection that went and comes back.
pub(crate) fn say(level: RDKafkaLogLevel, facility: &str, text: &str) {
    use RDKafkaLogLevel as Level;
    if !is_news(text) {
        return;
    }
    match level {
        Level::Emerg | Level::Alert | Level::Critical => tracing::error!(facility, "{text}"),
        Level::Error | Level::Warning => tracing::warn!(facility, "{text}"),
        Level::Notice | Level::Info => tracing::info!(facility, "{text}"),
        Level::Debug => tracing::debug!(facility, "{text}"),
    }
}

/// Whether a text was not said of late: while brokers are away the client says the same many times a second.
pub fn is_news(text: &str) -> bool {
    static SAID: Mutex<VecDeque<(String, Instant)>> = Mutex::new(VecDeque::new());
    let now = Instant::now();
    let mut said = SAID.lock();
    if said.iter().any(|(other, at)| other == text && now.duration_since(*at) < QUIET) {
        return false;
    }
    said.retain(|(other, _)| other != text);
    said.push_back((text.to_owned(), now));
    if said.len() > SAID_LINES {
        said.pop_front();
    }
    true
}

fn is_hopeless(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::SSL
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::ClusterAuthorizationFailed
    )
}

impl ClientContext for Voice {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        say(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if is_news(reason) {
            tracing::warn!(%error, reason, "the Kafka client reports");
        }
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::Fatal) {
            self.set_fatal();
        }
        let mut heard = self.heard.lock();
        heard.last = Some(reason.to_owned());
        if code.is_some_and(is_hopeless) {
            heard.hopeless = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Voice {}
