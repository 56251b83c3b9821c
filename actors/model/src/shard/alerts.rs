//! The ring of alerts of a products shard, and acknowledging one.

use souk_proto::v1;

use crate::key::ActorKey;
use crate::output::{Outcome, Output};
use crate::ring::RingId;
use crate::shard::products::ProductsShard;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// An alert as the ring keeps it. Its id is `<shard>.<position>.<n>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub actor: ActorKey,
    pub kind: v1::alert::Kind,
    pub severity: v1::alert::Severity,
    pub message: String,
    pub time: Millis,
    pub acknowledged: Option<Millis>,
}

impl ProductsShard {
    pub(super) fn take_alerts(&mut self, offset: u64, outputs: &[Output]) {
        for output in outputs {
            if let Output::Alert { actor, kind, severity, message, time } = output {
                let alert = Alert {
                    actor: actor.clone(),
                    kind: *kind,
                    severity: *severity,
                    message: message.clone(),
                    time: *time,
                    acknowledged: None,
                };
                self.alerts.push(offset, alert);
            }
        }
    }

    /// Marks an alert as seen. Seen twice is seen; one that gave way is unknown.
    pub(super) fn acknowledge(&mut self, alert_id: &str) -> Outcome {
        let shard = self.core.id.to_string();
        let log_time = self.core.log_time;
        let alert = parse_id(alert_id, &shard).and_then(|id| self.alerts.get_mut(id));
        match alert {
            Some(alert) => {
                alert.acknowledged.get_or_insert(log_time);
                Outcome::Done
            }
            None => Outcome::Refused(Refusal::new(
                Reason::ResourceUnknown,
                "alert_id",
                format!("no such alert among the newest of {shard}"),
            )),
        }
    }
}

fn parse_id(alert_id: &str, shard: &str) -> Option<RingId> {
    let (position, n) = alert_id.strip_prefix(shard)?.strip_prefix('.')?.split_once('.')?;
    Some(RingId { position: position.parse().ok()?, n: n.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_id_names_shard_position_and_place() {
        assert_eq!(parse_id("products-3.9912.1", "products-3"), Some(RingId { position: 9912, n: 1 }));
        assert_eq!(parse_id("products-31.9912.1", "products-3"), None);
        assert_eq!(parse_id("products-3.x.1", "products-3"), None);
    }
}
