//! Which topic it is, as far as is known. What is known is there at once, whoever is asking meanwhile: appends and reads look at it on their
//! way, and a broker that stands still must not hold up the threads they run on.

use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::error::KafkaError;
use tokio::time::Instant;

/// Of one topic.
#[derive(Debug)]
pub(crate) struct Identity {
    topic: String,
    /// Held while somebody asks: the others wait for the answer, and have its failure as their own if it failed while they waited.
    asking: Mutex<Option<(KafkaError, Instant)>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When the journal opened.
    at_first: Option<u64>,
    newest: Option<(u64, Instant)>,
}

impl Identity {
    pub(crate) fn new(topic: &str) -> Self {
        Self { topic: topic.to_owned(), asking: Mutex::default(), known: Mutex::default() }
    }

    /// The newest answer if it is fresh, or that of `ask`. Blocks as long as one question may take.
    pub(crate) fn get(
        &self,
        fresh: Duration,
        ask: impl FnOnce() -> Result<u64, KafkaError>,
    ) -> Result<u64, KafkaError> {
        self.get_since(Instant::now(), fresh, ask)
    }

    /// The same for whoever wants it since then.
    fn get_since(
        &self,
        began: Instant,
        fresh: Duration,
        ask: impl FnOnce() -> Result<u64, KafkaError>,
    ) -> Result<u64, KafkaError> {
        let mut asking = self.asking.lock();
        if let Some(id) = self.known.lock().fresh(fresh) {
            return Ok(id);
        }
        if let Some((error, _)) = asking.as_ref().filter(|(_, at)| *at >= began) {
            return Err(error.clone());
        }
        match ask() {
            Ok(id) => {
                *asking = None;
                self.learn(id);
                Ok(id)
            }
            Err(error) => {
                *asking = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }

    fn learn(&self, id: u64) {
        let mut known = self.known.lock();
        let is_new = known.newest.is_none_or(|(newest, _)| newest != id);
        known.newest = Some((id, Instant::now()));
        if *known.at_first.get_or_insert(id) != id && is_new {
            tracing::error!(
                topic = self.topic,
                "the topic was made anew: it is another journal, and this one is not served any more"
            );
        }
    }

    /// Whether it is another than the one the journal was opened on. Never waits.
    pub(crate) fn was_replaced(&self) -> bool {
        let known = self.known.lock();
        matches!((known.at_first, known.newest), (Some(first), Some((newest, _))) if first != newest)
    }
}

impl Known {
    fn fresh(&self, fresh: Duration) -> Option<u64> {
        self.newest.filter(|(_, at)| at.elapsed() < fresh).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use rdkafka::error::RDKafkaErrorCode;

    use super::*;

    const FRESH: Duration = Duration::from_secs(60);

    fn away() -> KafkaError {
        KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure)
    }

    #[test]
    fn another_one_is_told_from_the_first() {
        let identity = Identity::new("users");
        assert_eq!(identity.get(FRESH, || Ok(1)), Ok(1));
        assert_eq!(identity.get(FRESH, || panic!("a fresh answer is there")), Ok(1));
        assert_eq!(identity.get(Duration::ZERO, || Err(away())), Err(away()));
        assert!(!identity.was_replaced());
        assert_eq!(identity.get(Duration::ZERO, || Ok(2)), Ok(2));
        assert!(identity.was_replaced());
    }

    #[test]
    fn nobody_is_held_up_by_a_question_under_way() {
        let (identity, meet) = (Arc::new(Identity::new("users")), Arc::new(Barrier::new(2)));
        let asker = thread::spawn({
            let (identity, meet) = (Arc::clone(&identity), Arc::clone(&meet));
            move || {
                identity.get(FRESH, || {
                    meet.wait();
                    meet.wait();
                    Ok(1)
                })
            }
        });
        meet.wait();
        assert!(!identity.was_replaced());
        meet.wait();
        assert_eq!(asker.join().expect("it answers"), Ok(1));
    }

    #[test]
    fn who_waits_for_a_question_that_fails_does_not_ask_again() {
        let (identity, began) = (Identity::new("users"), Instant::now());
        assert_eq!(identity.get(FRESH, || Err(away())), Err(away()));
        assert_eq!(
            identity.get_since(began, FRESH, || panic!("it failed while this one waited")),
            Err(away())
        );
        assert_eq!(identity.get(FRESH, || Ok(1)), Ok(1));
    }
}
