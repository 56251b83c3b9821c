//! Events of the users journal: SEMANTICS.md section 2, in its order.

#[cfg(feature = "planted")]
use souk_proto::v1;

use crate::actor::StateError;
use crate::output::{Output, Outputs};
use crate::record::{Event, is_of_product};
use crate::shard::core::At;
use crate::shard::keyless;
use crate::shard::users::UsersShard;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal, Verdict};

/// A custom event of this type panics a fold built for the simulator: how poison that slipped through validation looks.
#[cfg(feature = "planted")]
pub const PANICS: &str = "souk.sim.panic";

impl UsersShard {
    pub(super) fn event(&mut self, at: At, event: &Event, out: &mut Outputs) -> Result<(), StateError> {
        #[cfg(feature = "planted")]
        if matches!(&event.event.kind, Some(v1::event::Kind::Custom(custom)) if custom.r#type == PANICS) {
            panic!("a planted poison record");
        }
        let verdict = self.judge(at, event, out)?;
        if verdict == Verdict::Counted && !event.keyless {
            out.push(Output::Changed { actor: event.key.clone() });
        }
        self.core.judged(at, verdict, out);
        Ok(())
    }

    fn judge(&mut self, at: At, event: &Event, out: &mut Outputs) -> Result<Verdict, StateError> {
        if let Some(verdict) = self.bridges.judge(event.bridge.as_ref(), self.core.planted) {
            return Ok(verdict);
        }
        if event.event.kind.as_ref().is_some_and(is_of_product) {
            return Ok(Verdict::Rejected(Refusal::new(
                Reason::KeyPartitionMismatch,
                "kind",
                "product and stock steps belong to the products journal",
            )));
        }
        let now = self.core.now(at.offset);
        let time = event.time.unwrap_or(now.log_time);
        if event.keyless {
            return self.with_user(keyless::actor_of(&event.key), now, out, |user, context| {
                user.keyless_event(context, event)
            });
        }
        if self.is_erased(&event.key, time)? {
            return Ok(Verdict::Rejected(Refusal::new(
                Reason::UserErased,
                "user_id",
                "this user was erased after the event happened",
            )));
        }
        self.with_user(&event.key, now, out, |user, context| user.event(context, event))
    }

    /// Whether an erase of this user covers `time`.
    pub(super) fn is_erased(
        &mut self,
        user: &crate::key::ActorKey,
        time: Millis,
    ) -> Result<bool, StateError> {
        if self.salt.is_empty() {
            return Ok(false);
        }
        let key = super::tombstone::key_of(&self.salt, user);
        let erased_at = self.tombstones.get((&key).into(), |tombstone| tombstone.erased_at)?.flatten();
        Ok(erased_at.is_some_and(|erased_at| time <= erased_at))
    }
}
