//! The one place that makes a `tonic::Status`: AIP-193, with google.rpc details that any client can decode.
//!
//! Every error carries an ErrorInfo { reason, domain "souk", metadata } and a Help with the section of `docs/errors.md`; those about fields
//! a BadRequest with every bad one; those that pass a RetryInfo. A source chain never leaves the process: it is logged under an id.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use souk_model::actor::StateError;
use souk_model::verdict::Reason;
use souk_runtime::Error;
use souk_runtime::error::Undeclared;
use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetail, ErrorInfo, FieldViolation, Help, HelpLink, RetryInfo, StatusExt};

use crate::error::{ApiError, BadField, Refused};
use crate::limits::{BAD_FIELDS, ERROR_MESSAGE_BYTES, ERROR_TEXT_BYTES, RETRY_AFTER};

/// Domain of every reason.
pub const DOMAIN: &str = "souk";
/// Before the reason's own word in its enum.
const PREFIX: &str = "ERROR_REASON_";

/// A reason as errors, verdicts and dead letters spell it.
pub fn reason_name(reason: Reason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// The code of a reason, as `souk/v1/errors.proto` groups them.
pub fn code_of(reason: Reason) -> Code {
    use Reason as R;
    match reason {
        R::FieldMissing
        | R::FieldInvalid
        | R::ValueOutOfRange
        | R::TimeOutOfRange
        | R::CurrencyUnknown
        | R::CurrencyMismatch
        | R::PayloadUndecodable
        | R::FilterInvalid
        | R::PageTokenMismatch
        | R::ResumeTokenMismatch
        | R::RequestIdReused
        | R::KeyNotDeclared
        | R::WindowNotDeclared
        | R::MeasureNotRanked
        | R::SettingsInvalid => Code::InvalidArgument,
        R::MetricUnknown | R::ProductUnknown | R::OrderUnknown | R::ResourceUnknown => Code::NotFound,
        R::ResumeTokenExpired | R::BeyondRetention => Code::OutOfRange,
        R::CartEmpty
        | R::OutOfStock
        | R::PriceChanged
        | R::SaleNotRunning
        | R::SaleLimitReached
        | R::OrderFinal
        | R::PaymentMismatch
        | R::RefundExceedsTotal
        | R::RecoveryTokenUsed
        | R::UserErased
        | R::DataFormatNewer
        | R::JournalTruncated
        | R::KeyPartitionMismatch
        | R::CheckoutPending => Code::FailedPrecondition,
        R::VersionMismatch | R::SubscriberTooSlow => Code::Aborted,
        R::PositionNotReached | R::HoldExpired | R::DeadlinePassed => Code::DeadlineExceeded,
        R::Overloaded
        | R::QuotaExceeded
        | R::TooManyStreams
        | R::MessageTooLarge
        | R::TooManyItems
        | R::DiskFull => Code::ResourceExhausted,
        R::ShardMoving
        | R::NodeDraining
        | R::JournalUnavailable
        | R::StoreUnavailable
        | R::OutcomeUnknown => Code::Unavailable,
        R::CredentialsInvalid => Code::Unauthenticated,
        R::AccessDenied => Code::PermissionDenied,
        R::MethodUnknown => Code::Unimplemented,
        R::InternalBug | R::Unspecified => Code::Internal,
    }
}

/// Whether waiting helps: then a RetryInfo says how long.
fn passes(reason: Reason) -> bool {
    matches!(reason, Reason::Overloaded | Reason::QuotaExceeded | Reason::TooManyStreams)
        || code_of(reason) == Code::Unavailable
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        render(&refused_of(error))
    }
}

/// Makes a status of one that tonic made itself; one of ours passes. tonic makes them of requests it cannot read, so each of its codes
/// has one meaning here.
pub(crate) fn adopt(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    let error = match status.code() {
        // The transport went away under the stream; there is nobody left to read it.
        Code::Ok | Code::Cancelled | Code::Unknown => return status,
        Code::OutOfRange => ApiError::refused(Reason::MessageTooLarge, status.message()),
        Code::Unimplemented if status.message().is_empty() => {
            ApiError::refused(Reason::MethodUnknown, "this node serves no such method")
        }
        Code::Unimplemented => ApiError::refused(Reason::MethodUnknown, status.message()),
        Code::DeadlineExceeded => {
            ApiError::refused(Reason::DeadlinePassed, "the call was not done by its deadline")
        }
        _ => ApiError::refused(Reason::PayloadUndecodable, status.message()),
    };
    error.into()
}

/// Everything that goes wrong, as a refusal.
pub(crate) fn refused_of(error: ApiError) -> Refused {
    match error {
        ApiError::Refused(refused) => *refused,
        ApiError::Runtime(error) => of_runtime(error),
        ApiError::Bug(what) => bug(&what),
        error @ (ApiError::PortTaken(_) | ApiError::Listen { .. }) => bug(&error.to_string()),
    }
}

fn of_runtime(error: Error) -> Refused {
    let message = error.to_string();
    let plain = |reason| ApiError::refused(reason, message.clone());
    let error = match error {
        Error::Refused(refusal) => refusal.into(),
        Error::MetricUnknown { name, near } => {
            plain(Reason::MetricUnknown).with("metric", name).with("near", near.join(", "))
        }
        Error::NotDeclared { metric, what, declared } => {
            let (reason, path) = match what {
                Undeclared::Window => (Reason::WindowNotDeclared, "window"),
                Undeclared::KeySet => (Reason::KeyNotDeclared, "group_by"),
                Undeclared::RankedMeasure => (Reason::MeasureNotRanked, "top.measure"),
            };
            ApiError::field(reason, path, message)
                .with("metric", metric)
                .with("declared", declared.join(", "))
        }
        Error::Settings(errors) => ApiError::of_fields(errors.0.into_iter().map(settings_field).collect()),
        Error::ShardMoving { shard } => plain(Reason::ShardMoving).with("shard", format!("shards/{shard}")),
        Error::Draining => plain(Reason::NodeDraining),
        Error::PositionNotReached { shard, at, wanted } => plain(Reason::PositionNotReached)
            .with("shard", format!("shards/{shard}"))
            .with("position", format!("{shard}@{at}"))
            .with("wanted", format!("{shard}@{wanted}")),
        Error::Overloaded { retry_after } => plain(Reason::Overloaded).retry_after(retry_after),
        Error::JournalFull => plain(Reason::DiskFull),
        Error::JournalUnavailable => plain(Reason::JournalUnavailable),
        Error::StoreUnavailable => plain(Reason::StoreUnavailable),
        Error::OutcomeUnknown => plain(Reason::OutcomeUnknown),
        Error::State(StateError::Newer { found, newest }) => {
            plain(Reason::DataFormatNewer).with("found", found).with("newest", newest)
        }
        Error::Start(_) | Error::State(StateError::Damaged(_)) => return bug(&message),
    };
    refused_of(error)
}

/// A problem of a settings text, with the key's path below the field that carries the text.
fn settings_field(problem: souk_model::settings::Problem) -> BadField {
    let path = if problem.path.is_empty() { "toml".to_owned() } else { format!("toml.{}", problem.path) };
    let mut message = problem.message;
    if let Some(near) = problem.near {
        let _infallible = write!(message, "; did you mean `{near}`?");
    }
    BadField { path, reason: Reason::SettingsInvalid, message }
}

/// Logs what happened under an id, and answers with the id alone.
fn bug(what: &str) -> Refused {
    let id = format!("{:016x}{:016x}", random(), random());
    tracing::error!(trace_id = id, error = what, "INTERNAL_BUG");
    let message = format!("a bug of ours; report it with trace id {id}");
    let error = ApiError::refused(Reason::InternalBug, message).with("trace_id", id);
    let ApiError::Refused(refused) = error else { unreachable!("made a refusal one line above") };
    *refused
}

/// Each `RandomState` has keys of its own.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

fn render(refused: &Refused) -> Status {
    let code = code_of(refused.reason);
    let reason = reason_name(refused.reason);
    let info = ErrorInfo {
        reason: reason.to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: refused
            .metadata
            .iter()
            .map(|(key, value)| (key.to_string(), shortened(value, ERROR_TEXT_BYTES).into_owned()))
            .collect(),
    };
    let mut details: Vec<ErrorDetail> = vec![info.into()];
    if !refused.fields.is_empty() {
        let violations: Vec<_> = refused.fields.iter().take(BAD_FIELDS).map(violation).collect();
        details.push(BadRequest { field_violations: violations }.into());
    }
    if passes(refused.reason) {
        let wait = jittered(refused.retry_after.unwrap_or(RETRY_AFTER));
        details.push(RetryInfo { retry_delay: Some(wait) }.into());
    }
    let link =
        HelpLink::new(format!("What {reason} means, and what to do"), format!("docs/errors.md#{reason}"));
    details.push(Help { links: vec![link] }.into());
    Status::with_error_details_vec(code, shortened(&refused.message, ERROR_MESSAGE_BYTES), details)
}

fn violation(field: &BadField) -> FieldViolation {
    FieldViolation {
        reason: reason_name(field.reason).to_owned(),
        ..FieldViolation::new(
            shortened(&field.path, ERROR_TEXT_BYTES),
            shortened(&field.message, ERROR_TEXT_BYTES),
        )
    }
}

/// Up to half as much again: those turned away together do not come back together.
fn jittered(wait: Duration) -> Duration {
    const STEPS: u32 = 512;
    let step = u32::try_from(random() % u64::from(STEPS)).unwrap_or_default();
    wait + wait * step / (2 * STEPS)
}

/// The text, cut at a character boundary where it is longer than `most` bytes.
fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let kept = text.floor_char_boundary(most - ELLIPSIS.len());
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..kept]))
}

#[cfg(test)]
mod tests;
