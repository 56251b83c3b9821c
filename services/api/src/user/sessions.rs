//! GetSession and ListSessions: from the user's state.

use souk_model::key::ActorKey;
use souk_model::time::Millis;
use souk_model::verdict::Reason;
use souk_proto::v1;

use crate::page::{self, Page};
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context, names};

pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: &v1::GetSessionRequest,
) -> Result<v1::GetSessionResponse, ApiError> {
    let name = names::session("name", &request.name)?;
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let key = ActorKey::new(&call.shop, name.user);
    let answer = context.runtime.user(&key, &read.options, |user, standing| {
        let session = match name.session {
            Some(id) => user.session(id),
            None => user.sessions().next_back(),
        };
        session.map(|session| user.session_to_proto(&key, session, &standing.now))
    });
    let answer = answer.await?.map(Option::flatten);
    if answer.value.is_none() && name.session.is_some() {
        return Err(ApiError::unknown(Reason::ResourceUnknown, &request.name));
    }
    let info = read.info(&answer);
    Ok(v1::GetSessionResponse { session: answer.value, info: Some(info) })
}

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListSessionsRequest,
) -> Result<v1::ListSessionsResponse, ApiError> {
    let user = names::user("parent", &request.parent)?;
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let page = Page::of(request)?;
    let before = match &page.cursor {
        Some(bytes) => Some(start_of(bytes).ok_or_else(page::mismatch)?),
        None => None,
    };
    let key = ActorKey::new(&call.shop, user);
    let answer = context.runtime.user(&key, &read.options, |user, standing| {
        let newest_first = user.sessions().rev();
        let rest = newest_first.filter(|session| before.is_none_or(|before| session.start < before));
        let (sessions, token) = page.cut(rest, |session| session.start.to_be_bytes().to_vec());
        let shown = sessions.iter().map(|session| user.session_to_proto(&key, session, &standing.now));
        (shown.collect::<Vec<_>>(), token)
    });
    let answer = answer.await?;
    let info = read.info(&answer);
    let (sessions, next_page_token) = answer.value.unwrap_or_default();
    Ok(v1::ListSessionsResponse { sessions, next_page_token, unreachable: Vec::new(), info: Some(info) })
}

fn start_of(cursor: &[u8]) -> Option<Millis> {
    cursor.try_into().ok().map(Millis::from_be_bytes)
}
