//! Commands to users: the erase is the shard's own, everything else is the user's decision.

use souk_proto::journal::v1::command::Action;

use crate::actor::StateError;
use crate::output::{Outcome, Output, Outputs};
use crate::record::{Command, is_for_product};
use crate::shard::core::{At, not_at_home};
use crate::shard::tombstone;
use crate::shard::users::{UsersShard, keep_open_saga};
use crate::verdict::{Reason, Refusal};

impl UsersShard {
    pub(super) fn command(&mut self, at: At, command: &Command, out: &mut Outputs) -> Result<(), StateError> {
        let now = self.core.now(at.offset);
        let outcome = match &command.command.action {
            Some(action) if is_for_product(action) => Outcome::Refused(Refusal::new(
                Reason::KeyPartitionMismatch,
                "action",
                "this is asked of a product",
            )),
            _ if !self.core.is_home(&command.key) => {
                Outcome::Refused(not_at_home(&command.key, self.core.id))
            }
            Some(Action::EraseUser(erase)) => self.erase(&erase.salt, command)?,
            _ if self.is_erased(&command.key, now.log_time)? => Outcome::Refused(Refusal::new(
                Reason::UserErased,
                "name",
                "this user was erased at this very moment",
            )),
            _ => self.with_user(&command.key, now, out, |user, context| {
                user.command(context, &command.key, command)
            })?,
        };
        out.push(Output::Changed { actor: command.key.clone() });
        let request_id = command.command.request_id.clone();
        out.push(Output::Decided { offset: at.offset, actor: command.key.clone(), request_id, outcome });
        Ok(())
    }

    /// Forgets a user: what stays is the skeleton of its open orders, and a tombstone. Erasing twice moves the tombstone.
    fn erase(&mut self, salt: &[u8], command: &Command) -> Result<Outcome, StateError> {
        if self.salt.is_empty() {
            self.salt = salt.to_vec();
        }
        let Self { core, users, tombstones, open_sagas, .. } = self;
        users.fold((&command.key).into(), |user| {
            *user = std::mem::take(user).erase().unwrap_or_default();
            keep_open_saga(open_sagas, (&command.key).into(), user.has_open_saga());
        })?;
        let key = tombstone::key_of(&self.salt, &command.key);
        tombstones.fold((&key).into(), |tombstone| {
            tombstone.erased_at = tombstone.erased_at.max(Some(core.log_time))
        })?;
        self.abandoned.remove_where(|cart| cart.actor == command.key);
        Ok(Outcome::Done)
    }
}
