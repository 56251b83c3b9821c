use souk_model::journal::ShardId;
use souk_model::settings::Settings;
use souk_model::verdict::Refusal;

use super::*;

fn all_reasons() -> impl Iterator<Item = Reason> {
    (1..).map_while(|number| Reason::try_from(number).ok())
}

fn status(error: impl Into<ApiError>) -> (Status, tonic_types::ErrorDetails) {
    let status = Status::from(error.into());
    let details = status.get_error_details();
    (status, details)
}

#[test]
fn every_reason_has_a_code_and_details_a_client_can_decode() {
    let mut walked = 0;
    for reason in all_reasons() {
        walked += 1;
        let (status, details) = status(ApiError::refused(reason, "why").with("key", "value"));
        assert_ne!(status.code(), Code::Ok, "{reason:?}");
        assert_ne!(status.code(), Code::Unknown, "{reason:?}");
        let info = details.error_info().expect("always there");
        assert_eq!(info.reason, reason.as_str_name().strip_prefix(PREFIX).unwrap());
        assert!(info.reason.len() <= 63);
        assert_eq!((info.domain.as_str(), info.metadata["key"].as_str()), ("souk", "value"));
        let link = &details.help().expect("always there").links[0];
        assert_eq!(link.url, format!("docs/errors.md#{}", info.reason));
        assert_eq!(details.retry_info().is_some(), passes(reason), "{reason:?}");
    }
    assert_eq!(walked, 55, "a new reason needs its code");
}

#[test]
fn every_error_of_the_runtime_has_its_reason() {
    let moving = Error::ShardMoving { shard: ShardId::users(17) };
    let near = vec!["active_users".to_owned()];
    let unknown = Error::MetricUnknown { name: "active_user".to_owned(), near };
    let declared = vec!["5m".to_owned(), "1h".to_owned()];
    let window = Error::NotDeclared { metric: "sales".to_owned(), what: Undeclared::Window, declared };
    let behind = Error::PositionNotReached { shard: ShardId::users(3), at: 7, wanted: 9 };
    let settings = Error::Settings(Settings::layered("[metric.x]\nfrm = 1").unwrap_err());
    for (error, reason, code, key, value) in [
        (moving, "SHARD_MOVING", Code::Unavailable, "shard", "shards/users-17"),
        (unknown, "METRIC_UNKNOWN", Code::NotFound, "near", "active_users"),
        (window, "WINDOW_NOT_DECLARED", Code::InvalidArgument, "declared", "5m, 1h"),
        (behind, "POSITION_NOT_REACHED", Code::DeadlineExceeded, "position", "users-3@7"),
        (settings, "SETTINGS_INVALID", Code::InvalidArgument, "", ""),
        (Error::Draining, "NODE_DRAINING", Code::Unavailable, "", ""),
        (Error::JournalFull, "DISK_FULL", Code::ResourceExhausted, "", ""),
        (Error::OutcomeUnknown, "OUTCOME_UNKNOWN", Code::Unavailable, "", ""),
    ] {
        let (status, details) = status(error);
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), status.code()), (reason, code));
        if !key.is_empty() {
            assert_eq!(info.metadata[key], value, "{reason}");
        }
        assert_eq!(details.bad_request().is_some(), code == Code::InvalidArgument, "{reason}");
    }
}

#[test]
fn a_refusal_names_its_field() {
    let refusal = Refusal::missing("product_view.product_id", "name the product that was viewed");
    let (status, details) = status(Error::Refused(refusal));
    assert_eq!(status.message(), "product_view.product_id: name the product that was viewed");
    let violation = &details.bad_request().unwrap().field_violations[0];
    assert_eq!(violation.field, "product_view.product_id");
    assert_eq!(violation.reason, "FIELD_MISSING");
}

#[test]
fn a_bug_keeps_its_cause_to_itself() {
    let (status, details) = status(Error::State(StateError::Damaged("row 7 of /data".to_owned())));
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("row 7"));
    assert_eq!(details.error_info().unwrap().metadata["trace_id"].len(), 32);
}

#[test]
fn waiting_is_jittered_and_never_shorter_than_asked() {
    for _ in 0..64 {
        let wait = Duration::from_millis(200);
        let (_, details) = status(Error::Overloaded { retry_after: wait });
        let delay = details.retry_info().unwrap().retry_delay.unwrap();
        assert!((wait..wait * 3 / 2).contains(&delay), "{delay:?}");
    }
}

#[test]
fn errors_stay_small() {
    let mut checks = crate::error::Checks::default();
    for n in 0..1_000 {
        checks.take::<()>(Err(ApiError::invalid(format!("{n}{}", "p".repeat(1_000)), "é".repeat(4_000))));
    }
    let status = Status::from(checks.done().unwrap_err());
    assert!(status.message().len() <= ERROR_MESSAGE_BYTES);
    assert!(status.details().len() * 4 / 3 < 20_000, "{}", status.details().len());
}

#[test]
fn statuses_tonic_made_itself_become_ours() {
    for (theirs, reason) in [
        (Status::out_of_range("Error, decoded message length too large"), "MESSAGE_TOO_LARGE"),
        (Status::internal("failed to decode Protobuf message"), "PAYLOAD_UNDECODABLE"),
        (Status::unimplemented(""), "METHOD_UNKNOWN"),
        (Status::deadline_exceeded("Timeout expired"), "DEADLINE_PASSED"),
    ] {
        assert_eq!(adopt(theirs).get_error_details().error_info().unwrap().reason, reason);
    }
    let ours = Status::from(ApiError::refused(Reason::CartEmpty, "nothing there"));
    assert_eq!(adopt(ours.clone()).details(), ours.details());
}
