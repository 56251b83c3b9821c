//! Notices that a partition stands still though its topic has more of it. A consumer can have a leader in mind that there never was, and take
//! no other for it; only another consumer helps, and so another instance.

use std::collections::BTreeMap;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::Error;
use crate::bridge::ear::Ear;
use crate::limits::{ASK_TIMEOUT, STILL_LOOKS};

/// Of one bridge, over all its instances.
#[derive(Debug, Default)]
pub(super) struct Still {
    /// The committed place of each partition at the last look, and at how many looks before it was the same.
    places: BTreeMap<i32, (i64, u32)>,
    /// Place and end for which an instance has ended already: what is left may be nothing but marks of others' transactions.
    ended: BTreeMap<i32, (i64, i64)>,
}

impl Still {
    /// Looks at the partitions this consumer has. What the broker does not say is looked at next time.
    pub(super) fn look(&mut self, consumer: &BaseConsumer<Ear>, topic: &str) -> Result<(), Error> {
        let Ok(committed) = consumer.committed(ASK_TIMEOUT) else { return Ok(()) };
        let before = std::mem::take(&mut self.places);
        for element in committed.elements() {
            let (partition, Offset::Offset(place)) = (element.partition(), element.offset()) else {
                continue;
            };
            let looks = match before.get(&partition) {
                Some((at, looks)) if *at == place => looks + 1,
                _ => 0,
            };
            self.places.insert(partition, (place, looks));
            // One that got on since is not asked about.
            if looks == 0 {
                continue;
            }
            match consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT) {
                Ok((_, end)) => self.judge(topic, partition, (place, end), looks)?,
                Err(error) => tracing::debug!(%error, topic, partition, "nobody says where it ends"),
            }
        }
        Ok(())
    }

    fn judge(&mut self, topic: &str, partition: i32, at: (i64, i64), looks: u32) -> Result<(), Error> {
        let (place, end) = at;
        if end < place {
            return Err(Error::MadeAnew { topic: topic.to_owned() });
        }
        if end == place {
            self.places.insert(partition, (place, 0));
        } else if looks > STILL_LOOKS && self.ended.insert(partition, at) != Some(at) {
            self.places.clear();
            return Err(Error::StandsStill { topic: topic.to_owned(), partition, place, end });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_ends_once_for_a_partition_that_stands_still() {
        let mut still = Still::default();
        for looks in 1..=STILL_LOOKS {
            assert!(still.judge("t", 3, (10, 20), looks).is_ok(), "it may be slow");
        }
        let told = still.judge("t", 3, (10, 20), STILL_LOOKS + 1);
        assert!(matches!(told, Err(Error::StandsStill { partition: 3, place: 10, end: 20, .. })));
        assert!(
            still.judge("t", 3, (10, 20), STILL_LOOKS + 1).is_ok(),
            "another instance did not help either"
        );
        assert!(still.judge("t", 3, (10, 21), STILL_LOOKS + 1).is_err(), "there is more now");
        assert!(still.judge("t", 3, (21, 21), STILL_LOOKS + 1).is_ok(), "all was read");
        assert!(matches!(still.judge("t", 3, (21, 5), 1), Err(Error::MadeAnew { .. })));
    }
}
