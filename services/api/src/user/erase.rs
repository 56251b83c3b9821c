//! EraseUser: the command that forgets a user.

use souk_model::output::Outcome;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::v1;
use souk_proto::v1::erase_user_response::State;

use super::SALT_BYTES;
use crate::read_options::info_of_write;
use crate::{ApiError, Call, Context, names};

pub(super) async fn erase(
    context: &Context,
    call: &Call,
    request: v1::EraseUserRequest,
    salt: [u8; SALT_BYTES],
) -> Result<v1::EraseUserResponse, ApiError> {
    let user = names::user("name", &request.name)?;
    let command = journal::Command {
        shop: call.shop.clone(),
        actor_id: user.to_owned(),
        action: Some(Action::EraseUser(journal::EraseUser { salt: salt.to_vec() })),
        request_id: request.request_id,
        ..journal::Command::default()
    };
    let (outcome, position) = context.runtime.command(command, call.deadline).await?;
    if let Outcome::Refused(refusal) = outcome {
        return Err(refusal.into());
    }
    // What the journal holds of the user goes with its retention, and that is not known to have passed.
    Ok(v1::EraseUserResponse { state: State::Erasing.into(), info: Some(info_of_write(&position)) })
}
