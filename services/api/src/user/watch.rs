//! WatchUser: the newest session, the cart and the orders of a user; with DELIVERY_ALL every event too.

use std::sync::Arc;

use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::owner::Ends;
use souk_proto::v1;
use souk_runtime::watch::Watched;

use super::feed::Feed;
use crate::stream::{self, Binding, Frames, Options, Resumed};
use crate::{ApiError, Call, Context, names};

const METHOD: &str = "WatchUser";

pub(super) async fn frames(
    context: &Context,
    call: &Call,
    mut request: v1::WatchUserRequest,
) -> Result<Frames, ApiError> {
    let options = Options::of(request.watch.take().as_ref())?;
    let key = ActorKey::new(&call.shop, names::user("name", &request.name)?);
    let shard = context.runtime.home(Journal::Users, &key);
    let ends = context.runtime.ends(shard).await?;
    let binding = Binding::of(METHOD, &call.shop, &request, ends.topic_id);
    let resumed = match options.resume_token.as_str() {
        "" => None,
        token => Some(binding.open(token, 1, |resumed| is_held(resumed, &ends))?),
    };
    // Events begin where the rows do at the latest: one that moved a row before it was looked at may come a second time.
    let next = resumed.as_ref().and_then(|resumed| resumed.events).unwrap_or(ends.end + 1);
    let start = Resumed::start(resumed.as_ref(), options.from_now);
    let subscription = context.runtime.watch(Watched::User(key.clone()), start).await?;
    let events = options.every_change.then(|| {
        let feed = Feed { runtime: Arc::clone(&context.runtime), shard, key, next };
        (next, feed.start())
    });
    Ok(stream::write(head, binding, &options, subscription, events, context.drain.clone()))
}

fn head(frame: v1::StreamFrame, _: usize) -> v1::WatchUserResponse {
    v1::WatchUserResponse { frame: Some(frame), row: None }
}

/// Whether the journal still holds what a reader goes on from, and already.
fn is_held(resumed: &Resumed, ends: &Ends) -> bool {
    let seen = resumed.revisions.iter().all(|revision| *revision <= ends.end);
    let events = resumed.events.is_none_or(|next| (ends.start..=ends.end + 1).contains(&next));
    seen && events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_while_the_journal_holds_what_follows_it() {
        let ends = Ends { topic_id: 1, partitions: 8, start: 10, end: 20, origin: None };
        let held = |revision, events| {
            let resumed = Resumed { revisions: vec![revision], events, ..Resumed::default() };
            is_held(&resumed, &ends)
        };
        assert!(held(20, None) && held(3, None) && held(20, Some(21)) && held(20, Some(10)));
        assert!(!held(21, None) && !held(20, Some(22)) && !held(20, Some(9)));
    }
}
