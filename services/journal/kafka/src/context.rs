//! What a client library's thread tells us: its log, and errors that are about no record.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Listens to one client.
#[derive(Debug, Default)]
pub(crate) struct Voice {
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
    pub(crate) fn last(&self) -> Option<String> {
        self.heard.lock().last.clone()
    }

    pub(crate) fn hopeless(&self) -> Option<String> {
        self.heard.lock().hopeless.clone()
    }

    /// Whether a producer must be replaced: librdkafka refuses everything after such an error.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal.load(Ordering::Acquire)
    }

    pub(crate) fn set_fatal(&self) {
        self.fatal.store(true, Ordering::Release);
    }
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
        use RDKafkaLogLevel as Level;
        match level {
            Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
                tracing::error!(facility, "{message}");
            }
            Level::Warning => tracing::warn!(facility, "{message}"),
            Level::Notice | Level::Info => tracing::info!(facility, "{message}"),
            Level::Debug => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the Kafka client reports");
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
