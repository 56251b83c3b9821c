//! A topic of Kafka that a command writes to: `kafka://host:port/topic`, several brokers joined by commas.

use std::str::FromStr;

use souk_journal_kafka::{Error, Sender, SenderOptions};
use souk_model::keying::foreign_key;
use souk_model::record::actor_of;
use souk_proto::v1;

use crate::cli::exit::{Exit, Failure};
use crate::form::Form;

const SCHEME: &str = "kafka://";

/// Where a topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    brokers: Vec<String>,
    topic: String,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "wants kafka://HOST:PORT/TOPIC";
        let (brokers, topic) =
            text.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')).ok_or(WANTED)?;
        if brokers.is_empty() || topic.is_empty() || topic.contains('/') {
            return Err(WANTED);
        }
        Ok(Self { brokers: brokers.split(',').map(str::to_owned).collect(), topic: topic.to_owned() })
    }
}

/// Writes events to it, each under the key of whom it is about: a user's events stay in order.
#[derive(Debug)]
pub(crate) struct Topic {
    sender: Sender,
    name: String,
    form: Form,
    message: Vec<u8>,
}

impl Topic {
    /// Makes sure that it is there; makes it with so many partitions if it is not and some are given.
    pub(crate) async fn open(place: &Place, form: Form, make: Option<u16>) -> Result<Self, Failure> {
        let options = SenderOptions { make, ..SenderOptions::new(place.brokers.clone(), &place.topic) };
        let sender = Sender::open(options).await.map_err(|error| failure(&error, make))?;
        Ok(Self { sender, name: place.topic.clone(), form, message: Vec::new() })
    }

    /// Sends an event; false where the form has no word for its kind.
    pub(crate) async fn send(&mut self, event: &v1::Event) -> Result<bool, Failure> {
        self.message.clear();
        if !self.form.write(event, &mut self.message)? {
            return Ok(false);
        }
        let actor = actor_of(event);
        self.put(foreign_key(&actor).as_bytes()).await.map(|()| true)
    }

    /// Sends a text that is nobody's.
    pub(crate) async fn send_text(&mut self, text: &str) -> Result<(), Failure> {
        self.message.clear();
        self.message.extend_from_slice(text.as_bytes());
        self.put(b"").await
    }

    async fn put(&self, key: &[u8]) -> Result<(), Failure> {
        self.sender.send(key, &self.message).await.map_err(|error| failure(&error, None))
    }

    /// Waits until all of it is acknowledged; how much that was, in words.
    pub(crate) async fn finish(&self) -> Result<String, Failure> {
        let acknowledged = self.sender.finish().await.map_err(|error| failure(&error, None))?;
        let count = crate::output::cell::grouped(&acknowledged.to_string());
        Ok(format!("{count} messages in {}, of {} partitions", self.name, self.sender.partitions()))
    }
}

fn failure(error: &Error, make: Option<u16>) -> Failure {
    let exit = if matches!(error, Error::NoBroker { .. }) { Exit::Unreachable } else { Exit::Failed };
    match error {
        Error::NoTopic { topic } if make.is_none() => {
            Failure::new(exit, format_args!("there is no topic {topic}"))
                .hint("to have it made: --partitions 8")
        }
        error => Failure::new(exit, format_args!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_and_a_topic() {
        let place: Place = "kafka://a:9092,b:9092/events".parse().expect("a place");
        assert_eq!((place.brokers.len(), place.topic.as_str()), (2, "events"));
        for text in ["kafka:/a/b", "kafka://a:9092", "kafka:///t", "kafka://a:1/", "kafka://a:1/b/c", "grpc"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
