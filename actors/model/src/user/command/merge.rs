//! MergeCarts: begins to take over a guest's cart.

use souk_proto::journal::v1 as journal;

use super::super::merge::Merge;
use super::super::{User, rare};
use crate::actor::Context;
use crate::key::ActorKey;
use crate::limits::MERGES;
use crate::verdict::{Reason, Refusal};

impl User {
    pub(super) fn merge_carts(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        merge: &journal::MergeCarts,
    ) -> Result<(), Refusal> {
        if merge.source_user_id.is_empty() || merge.source_user_id == key.id() {
            return Err(Refusal::new(Reason::FieldInvalid, "source", "name a guest's cart"));
        }
        let merges = &mut rare(&mut self.rare).merges;
        if !merges.has_room() {
            return Err(Refusal::new(
                Reason::TooManyItems,
                "source",
                format!("{MERGES} merges are under way"),
            ));
        }
        let begun = Merge {
            id: ctx.now.offset,
            guest: merge.source_user_id.as_str().into(),
            policy: merge.policy(),
            created: ctx.now.log_time,
        };
        begun.ask(key, ctx.out);
        merges.asked.push(begun);
        Ok(())
    }
}
