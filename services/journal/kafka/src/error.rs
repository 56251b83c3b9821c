//! What can keep a journal on Kafka from opening.

use std::fmt;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{option}: {why}")]
    Option { option: String, why: String },

    /// The client library refuses what it was told: a security protocol this build has not, a file that is not there.
    #[error("the Kafka client cannot be made: {why}")]
    Client { why: String },

    #[error("no Kafka broker at {brokers} answered within {}: {why}", Seconds(*.waited))]
    NoBroker { brokers: String, waited: Duration, why: String },

    /// Waiting would not help.
    #[error("the Kafka brokers at {brokers} refuse this client: {why}")]
    Refused { brokers: String, why: String },

    #[error("there is no topic {topic}: have it made with the settings it needs (`prepare`)")]
    NoTopic { topic: String },

    /// Of somebody else's, that is to be bridged.
    #[error("there is no topic {topic}: whoever writes it makes it, or its bridge names another")]
    NoForeignTopic { topic: String },

    /// It was deleted, and there is another of its name.
    #[error("the topic {topic} was made anew: what is read of it now is another source")]
    MadeAnew { topic: String },

    /// There is more of it than its reader gets.
    #[error(
        "partition {partition} of {topic} stands still at {place}, and ends at {end}: another reader takes over"
    )]
    StandsStill { topic: String, partition: i32, place: i64, end: i64 },

    /// A topic is there but not as the journal needs it.
    #[error("the topic {topic} is not as it must be: {}", List(.differences))]
    Differs { topic: String, differences: Vec<Difference> },

    /// What others write there is not what was declared.
    #[error("the topic {topic} cannot be adopted as declared: {why}")]
    Unadoptable { topic: String, why: String },

    #[error("cannot {doing}: {why}")]
    Broker { doing: String, why: String },

    #[error("cannot start the thread {name}: {source}")]
    Thread { name: &'static str, source: std::io::Error },
}

impl Error {
    pub(crate) fn broker(doing: impl Into<String>, why: impl ToString) -> Self {
        Self::Broker { doing: doing.into(), why: why.to_string() }
    }
}

/// One thing about a topic that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub what: &'static str,
    pub has: String,
    pub needs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, must be {}", self.what, self.has, self.needs)
    }
}

struct List<'a>(&'a [Difference]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, difference) in self.0.iter().enumerate() {
            write!(f, "{}{difference}", if n == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}
