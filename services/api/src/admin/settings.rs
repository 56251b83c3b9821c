//! ApplySettings: proposes; the log decides from which position on they count.

use souk_model::limits::SETTINGS_BYTES;
use souk_model::verdict::Reason;
use souk_proto::v1;

use crate::error::Checks;
use crate::read_options::info_of_write;
use crate::{ApiError, Call, Context, names};

pub(super) async fn apply(
    context: &Context,
    call: &Call,
    request: &v1::ApplySettingsRequest,
) -> Result<v1::ApplySettingsResponse, ApiError> {
    let mut checks = Checks::default();
    if request.toml.len() > SETTINGS_BYTES {
        let message = format!("is at most {SETTINGS_BYTES} bytes");
        checks.take::<()>(Err(ApiError::field(Reason::SettingsInvalid, "toml", message)));
    }
    if !request.request_id.is_empty() {
        checks.take(names::id("request_id", &request.request_id));
    }
    checks.done()?;
    let applied = context.runtime.apply_settings(&request.toml, request.validate_only, call.deadline);
    let (changes, hash, position) = applied.await?;
    Ok(v1::ApplySettingsResponse {
        changes,
        hash: format!("{hash:016x}"),
        info: Some(info_of_write(&position)),
    })
}
