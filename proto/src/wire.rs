//! Writing a message field by field, in one pass and straight from what it says: for rows of answers, which go out by the hundred thousand
//! a second. Everything else is built as the message it is, and encoded by prost.
//!
//! A writer leaves nothing out by itself: what proto3 would omit is its caller's to skip. Whatever is written here is read back by a test
//! as the message it stands for, and the field numbers below are checked against the `.proto` files.

use prost::encoding::{WireType, encode_key, encode_varint};

/// Numbers of the fields written by hand, by message.
pub mod field {
    pub const QUERY_METRIC_RESPONSE_ROWS: u32 = 1;
    pub const QUERY_METRICS_RESPONSE_ANSWERS: u32 = 3;
    pub const WATCH_METRIC_RESPONSE_ROW: u32 = 3;
    pub const METRIC_ROW_KEY: u32 = 1;
    pub const METRIC_ROW_WINDOW: u32 = 2;
    pub const METRIC_ROW_RANGE: u32 = 3;
    pub const METRIC_ROW_VALUES: u32 = 4;
    pub const METRIC_ROW_RANK: u32 = 5;
    pub const METRIC_ROW_INFO: u32 = 6;
    /// Of the entries of every map.
    pub const ENTRY_KEY: u32 = 1;
    pub const ENTRY_VALUE: u32 = 2;
    pub const TIME_RANGE_START_TIME: u32 = 1;
    pub const TIME_RANGE_END_TIME: u32 = 2;
    pub const TIMESTAMP_SECONDS: u32 = 1;
    pub const TIMESTAMP_NANOS: u32 = 2;
    pub const METRIC_VALUE_INTEGER: u32 = 1;
    pub const METRIC_VALUE_FRACTION: u32 = 2;
    pub const METRIC_VALUE_AMOUNTS: u32 = 3;
    pub const FRACTION_NUMERATOR: u32 = 1;
    pub const FRACTION_DENOMINATOR: u32 = 2;
    pub const FRACTION_APPROXIMATE: u32 = 3;
    pub const MONEY_CURRENCY_CODE: u32 = 1;
    pub const MONEY_MINOR_UNITS: u32 = 2;
    pub const ANSWER_INFO_PROVISIONAL: u32 = 4;
    pub const ANSWER_INFO_EXACTNESS: u32 = 7;
    pub const ANSWER_INFO_ERROR_BOUND: u32 = 8;
}

/// An integer, an enum or a bool.
pub fn integer(out: &mut Vec<u8>, field: u32, value: i64) {
    key(out, field, WireType::Varint);
    varint(out, value as u64);
}

pub fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    key(out, field, WireType::SixtyFourBit);
    out.extend_from_slice(&value.to_le_bytes());
}

pub fn text(out: &mut Vec<u8>, field: u32, value: &str) {
    key(out, field, WireType::LengthDelimited);
    varint(out, value.len() as u64);
    out.extend_from_slice(value.as_bytes());
}

/// A message within a message, written by `write`.
pub fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, WireType::LengthDelimited);
    let at = out.len();
    out.push(0);
    write(out);
    let len = out.len() - at - 1;
    match u8::try_from(len) {
        Ok(len) if len < 0x80 => out[at] = len,
        // Few are as long: the place kept for the length was too short.
        _ => {
            let mut long = Vec::with_capacity(10);
            encode_varint(len as u64, &mut long);
            out.splice(at..=at, long);
        }
    }
}

#[inline]
fn key(out: &mut Vec<u8>, field: u32, wire_type: WireType) {
    if field < 16 {
        out.push((field << 3) as u8 | wire_type as u8);
    } else {
        encode_key(field, wire_type, out);
    }
}

#[inline]
fn varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        encode_varint(value, out);
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

    use super::field::*;
    use super::*;
    use crate::v1;

    #[test]
    fn numbers_are_those_of_the_protos() {
        let set = FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET).unwrap();
        let public = |file: &&FileDescriptorProto| matches!(file.package(), "souk.v1" | "google.protobuf");
        let messages: Vec<&DescriptorProto> =
            set.file.iter().filter(public).flat_map(|file| &file.message_type).collect();
        let number = |message: &str, field: &str| {
            let message = messages.iter().find(|found| found.name() == message).unwrap();
            message.field.iter().find(|found| found.name() == field).unwrap().number() as u32
        };
        for (message, field, expected) in [
            ("QueryMetricResponse", "rows", QUERY_METRIC_RESPONSE_ROWS),
            ("QueryMetricsResponse", "answers", QUERY_METRICS_RESPONSE_ANSWERS),
            ("WatchMetricResponse", "row", WATCH_METRIC_RESPONSE_ROW),
            ("MetricRow", "key", METRIC_ROW_KEY),
            ("MetricRow", "window", METRIC_ROW_WINDOW),
            ("MetricRow", "range", METRIC_ROW_RANGE),
            ("MetricRow", "values", METRIC_ROW_VALUES),
            ("MetricRow", "rank", METRIC_ROW_RANK),
            ("MetricRow", "info", METRIC_ROW_INFO),
            ("TimeRange", "start_time", TIME_RANGE_START_TIME),
            ("TimeRange", "end_time", TIME_RANGE_END_TIME),
            ("Timestamp", "seconds", TIMESTAMP_SECONDS),
            ("Timestamp", "nanos", TIMESTAMP_NANOS),
            ("MetricValue", "integer", METRIC_VALUE_INTEGER),
            ("MetricValue", "fraction", METRIC_VALUE_FRACTION),
            ("MetricValue", "amounts", METRIC_VALUE_AMOUNTS),
            ("Fraction", "numerator", FRACTION_NUMERATOR),
            ("Fraction", "denominator", FRACTION_DENOMINATOR),
            ("Fraction", "approximate", FRACTION_APPROXIMATE),
            ("Money", "currency_code", MONEY_CURRENCY_CODE),
            ("Money", "minor_units", MONEY_MINOR_UNITS),
            ("AnswerInfo", "provisional", ANSWER_INFO_PROVISIONAL),
            ("AnswerInfo", "exactness", ANSWER_INFO_EXACTNESS),
            ("AnswerInfo", "error_bound", ANSWER_INFO_ERROR_BOUND),
        ] {
            assert_eq!(number(message, field), expected, "{message}.{field}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for len in [0, 1, 100, 127, 128, 20_000] {
            let window = "w".repeat(len);
            let mut out = vec![7];
            message(&mut out, WATCH_METRIC_RESPONSE_ROW, |out| {
                text(out, METRIC_ROW_WINDOW, &window);
                integer(out, METRIC_ROW_RANK, -1);
                message(out, METRIC_ROW_INFO, |out| double(out, ANSWER_INFO_ERROR_BOUND, 0.5));
            });
            let read = v1::WatchMetricResponse::decode(&out[1..]).unwrap();
            let info = v1::AnswerInfo { error_bound: Some(0.5), ..Default::default() };
            let row = v1::MetricRow { window, rank: Some(-1), info: Some(info), ..Default::default() };
            assert_eq!(read, v1::WatchMetricResponse { row: Some(row), ..Default::default() });
        }
    }
}
