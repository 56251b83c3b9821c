//! A dead letter: what arrived, what is wrong with it, when it was set aside and by whom, as a message of JSON under its place.

use serde::Serialize;
use souk_formats::time::timestamp;
use souk_model::time::Millis;
use souk_model::verdict::Refusal;

use crate::bridge::crossing::Read;
use crate::limits::LETTER_BYTES;

/// The part that gave up on it.
const COMPONENT: &str = "bridge";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Letter<'a> {
    original_message: &'a str,
    /// The name of an ErrorReason without its prefix.
    error_type: &'a str,
    error_reason: String,
    timestamp: String,
    processing_component: &'a str,
}

/// Key and message of a letter. The key is the place in the source, so that a repeat is known as one.
pub(super) fn letter(topic: &str, read: &Read, refusal: &Refusal, now: Millis) -> (String, Vec<u8>) {
    let original = &read.payload[..read.payload.len().min(LETTER_BYTES)];
    let error_reason = match refusal.field.as_ref() {
        "" => refusal.message.to_string(),
        field => format!("{field}: {}", refusal.message),
    };
    let letter = Letter {
        original_message: &String::from_utf8_lossy(original),
        error_type: refusal.reason.as_str_name().trim_start_matches("ERROR_REASON_"),
        error_reason,
        timestamp: timestamp(now).to_string(),
        processing_component: COMPONENT,
    };
    let message = serde_json::to_vec(&letter).expect("texts have a JSON form");
    (format!("{topic}/{}@{}", read.partition, read.offset), message)
}

#[cfg(test)]
mod tests {
    use souk_model::verdict::Reason;

    use super::*;

    #[test]
    fn a_letter_says_what_when_and_why() {
        let read = Read { partition: 3, offset: 17, payload: b"{\"fare\":\xff".to_vec() };
        let refusal = Refusal::new(Reason::FieldInvalid, "fare", "must be a number");
        let (key, message) = letter("events", &read, &refusal, 1_795_251_600_000);
        assert_eq!(key, "events/3@17");
        let message: serde_json::Value = serde_json::from_slice(&message).expect("JSON");
        assert_eq!(
            message,
            serde_json::json!({
                "originalMessage": "{\"fare\":\u{fffd}",
                "errorType": "FIELD_INVALID",
                "errorReason": "fare: must be a number",
                "timestamp": "2026-11-21T09:00:00Z",
                "processingComponent": "bridge",
            })
        );
    }
}
