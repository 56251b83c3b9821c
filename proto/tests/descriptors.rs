//! What a caller may rely on in every message, checked on the descriptors that reflection serves.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Each reason of the API once, in the order of its number. Renaming or reusing one breaks clients that decide by it.
const REASONS: &str = "
    FIELD_MISSING FIELD_INVALID VALUE_OUT_OF_RANGE TIME_OUT_OF_RANGE CURRENCY_UNKNOWN CURRENCY_MISMATCH PAYLOAD_UNDECODABLE
    FILTER_INVALID PAGE_TOKEN_MISMATCH RESUME_TOKEN_MISMATCH REQUEST_ID_REUSED KEY_NOT_DECLARED WINDOW_NOT_DECLARED
    MEASURE_NOT_RANKED SETTINGS_INVALID METRIC_UNKNOWN PRODUCT_UNKNOWN ORDER_UNKNOWN RESOURCE_UNKNOWN RESUME_TOKEN_EXPIRED
    BEYOND_RETENTION CART_EMPTY OUT_OF_STOCK PRICE_CHANGED SALE_NOT_RUNNING SALE_LIMIT_REACHED ORDER_FINAL PAYMENT_MISMATCH
    REFUND_EXCEEDS_TOTAL RECOVERY_TOKEN_USED USER_ERASED DATA_FORMAT_NEWER JOURNAL_TRUNCATED KEY_PARTITION_MISMATCH
    VERSION_MISMATCH SUBSCRIBER_TOO_SLOW POSITION_NOT_REACHED HOLD_EXPIRED OVERLOADED QUOTA_EXCEEDED TOO_MANY_STREAMS
    MESSAGE_TOO_LARGE TOO_MANY_ITEMS DISK_FULL SHARD_MOVING NODE_DRAINING JOURNAL_UNAVAILABLE STORE_UNAVAILABLE
    OUTCOME_UNKNOWN CREDENTIALS_INVALID ACCESS_DENIED INTERNAL_BUG CHECKOUT_PENDING
    DEADLINE_PASSED METHOD_UNKNOWN";

/// Souk's own files: the set also holds the google.protobuf ones they import.
fn files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(souk_proto::FILE_DESCRIPTOR_SET).expect("a descriptor set");
    set.file.into_iter().filter(|file| file.package().starts_with("souk.")).collect()
}

/// A file's messages with the nested ones, but for the entries of maps, which are protobuf's.
fn messages(file: &FileDescriptorProto) -> Vec<&DescriptorProto> {
    let mut found: Vec<&DescriptorProto> = file.message_type.iter().collect();
    let mut next = 0;
    while let Some(message) = found.get(next).copied() {
        found.extend(
            message.nested_type.iter().filter(|m| !m.options.as_ref().is_some_and(|o| o.map_entry())),
        );
        next += 1;
    }
    found
}

fn enums(file: &FileDescriptorProto) -> Vec<&EnumDescriptorProto> {
    file.enum_type.iter().chain(messages(file).into_iter().flat_map(|message| &message.enum_type)).collect()
}

#[test]
fn every_enum_starts_with_unspecified() {
    for file in files() {
        for e in enums(&file) {
            let zero = e.value.iter().find(|value| value.number() == 0).expect("proto3 demands a zero");
            assert!(
                zero.name().ends_with("_UNSPECIFIED"),
                "{}: {} is {}",
                file.name(),
                e.name(),
                zero.name()
            );
        }
    }
}

/// Nothing has been removed yet. The first removal reserves its number and counts it in here.
#[test]
fn public_field_numbers_run_from_one_without_gaps() {
    let mut seen = 0;
    for file in files().iter().filter(|file| file.package() == "souk.v1") {
        for message in messages(file) {
            let reserved = message.reserved_range.iter().flat_map(|range| range.start()..range.end());
            let numbers: BTreeSet<i32> =
                message.field.iter().map(|field| field.number()).chain(reserved).collect();
            let expected: BTreeSet<i32> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, expected, "{}: {}", file.name(), message.name());
            seen += 1;
        }
    }
    assert!(seen > 0, "no message of souk.v1 in the set");
}

#[test]
fn the_reasons_are_those_of_the_api() {
    let files = files();
    let reasons = files
        .iter()
        .flat_map(enums)
        .find(|e| e.name() == "ErrorReason")
        .expect("souk.v1.ErrorReason")
        .value
        .iter()
        .map(|value| (value.number(), value.name().trim_start_matches("ERROR_REASON_").to_owned()));
    let expected = ["UNSPECIFIED"].into_iter().chain(REASONS.split_whitespace());
    let expected = (0..).zip(expected.map(str::to_owned));
    assert_eq!(reasons.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// grpcurl prints `userId` only if the served descriptors say so; without it the same tool prints `user_id`.
#[test]
fn every_field_has_its_json_name() {
    for file in files() {
        for field in messages(&file).into_iter().flat_map(|message| &message.field) {
            let mut upper = false;
            let mut camel = String::new();
            for c in field.name().chars() {
                match c {
                    '_' => upper = true,
                    c => camel.push(if std::mem::take(&mut upper) { c.to_ascii_uppercase() } else { c }),
                }
            }
            assert_eq!(field.json_name(), camel, "{}: {}", file.name(), field.name());
        }
    }
}

/// Comments reach callers through reflection (`grpcurl describe`), so the set must not be stripped of them.
#[test]
fn the_set_carries_the_comments() {
    for file in files() {
        let info = file.source_code_info.as_ref().expect("source info");
        assert!(info.location.iter().any(|l| !l.leading_comments().trim().is_empty()), "{}", file.name());
    }
}
