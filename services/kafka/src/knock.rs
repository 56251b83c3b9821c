//! How a client that has lost every broker finds them again.
//!
//! A broker that stood still for longer than its controller waits for it answers, for a moment, that the cluster has no brokers at all. The client
//! then lets go of all it knew; and if the ones it began with say the same once more, of those too. From then on it knows nobody it could ask,
//! and stays so for good: its producer times out, its consumer stands still, its member leaves the group. So whoever owns a client knocks every
//! few seconds; one that hears nobody is told the addresses it began with.

use rdkafka::client::{Client, ClientContext};

use crate::limits::{KNOCK, KNOCKS, LATER_KNOCKS};
use crate::native::add_brokers;

/// Knocks for one client.
#[derive(Debug)]
pub struct Knock {
    addresses: String,
    topic: String,
    /// Knocks, one after the other, that nobody answered.
    unanswered: u32,
}

impl Knock {
    /// Any topic will do that the client has to do with.
    pub fn new(addresses: impl Into<String>, topic: impl Into<String>) -> Self {
        Self { addresses: addresses.into(), topic: topic.into(), unanswered: 0 }
    }

    /// Asks whether a broker answers this client, and reminds it of all addresses if none does. Whether one did. Blocks for a moment.
    pub fn at<C: ClientContext>(&mut self, client: &Client<C>) -> bool {
        let answered = client.fetch_metadata(Some(&self.topic), KNOCK).is_ok();
        if answered {
            self.unanswered = 0;
            return true;
        }
        // The client keeps every reminder: while brokers are away for long there are fewer of them.
        if self.unanswered < KNOCKS || self.unanswered.is_multiple_of(LATER_KNOCKS) {
            add_brokers(client, &self.addresses);
        }
        self.unanswered = self.unanswered.saturating_add(1);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::mocking::MockCluster;
    use tokio::time::Instant;

    use super::*;

    /// Nobody listens there.
    const NOBODY: &str = "127.0.0.1:1";
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_client_that_hears_nobody_is_told_where_the_brokers_are() {
        let cluster = MockCluster::new(1).expect("a cluster");
        let consumer: BaseConsumer =
            crate::client(NOBODY, "test", &BTreeMap::new()).create().expect("a client");
        let mut lost = Knock::new(NOBODY, "users");
        assert!(!lost.at(consumer.client()), "nobody answers");
        let mut knock = Knock::new(cluster.bootstrap_servers(), "users");
        let began = Instant::now();
        while !knock.at(consumer.client()) {
            assert!(began.elapsed() < PATIENCE, "it does not find the broker");
        }
        assert_eq!(knock.unanswered, 0);
    }
}
