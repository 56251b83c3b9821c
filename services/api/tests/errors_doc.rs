//! `docs/errors.md` is what `errors.proto` says, a section per reason. `SOUK_BLESS=1 cargo test -p souk-api --test errors_doc` writes it.

// Helpers of tests fail the test they are called from.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use souk_api::status::{code_of, reason_name};
use souk_model::verdict::Reason;
use tonic::Code;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
const PROTO: &str = "souk/v1/errors.proto";
/// Field numbers of a descriptor's path: an enum of a file, a value of an enum.
const ENUM: i32 = 5;
const VALUE: i32 = 2;

const HEAD: &str = "\
# Errors

Written from `proto/souk/v1/errors.proto`; do not edit.

Every error is a gRPC status with `google.rpc` details: an `ErrorInfo` with the reason (one of the headings below), the domain `souk` and every
value the message names; a `BadRequest` with the path of every bad field; a `RetryInfo` where waiting helps; a `Help` with the section here.
Decide by the reason: messages are for people and may change. The same reasons stand on rejected events, cancelled order lines and dead letters.
";

/// Each reason with its comment, in the order of the file.
fn reasons() -> Vec<(Reason, String)> {
    let set = FileDescriptorSet::decode(souk_proto::FILE_DESCRIPTOR_SET).unwrap();
    let file = set.file.iter().find(|file| file.name() == PROTO).expect("it is one of ours");
    let comment = |place: i32| {
        let locations = &file.source_code_info.as_ref().expect("comments are kept").location;
        let location = locations.iter().find(|location| location.path == [ENUM, 0, VALUE, place]);
        location
            .expect("every value has a comment")
            .leading_comments()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let values = (0..).zip(&file.enum_type[0].value).skip(1);
    values.map(|(place, value)| (Reason::try_from(value.number()).unwrap(), comment(place))).collect()
}

/// What every reason of a code asks of the caller.
fn advice(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => {
            "Change the request: `BadRequest` names every bad field. The same request fails again."
        }
        Code::NotFound => "Check the name; nothing has it in this shop.",
        Code::OutOfRange => "Start again from a snapshot, or ask for less.",
        Code::FailedPrecondition => "Asking again changes nothing until the state does.",
        Code::Aborted => "Read again, decide again, then retry.",
        Code::DeadlineExceeded => "Retry with a later deadline; a write is safe to repeat with the same ids.",
        Code::ResourceExhausted => "Send less, or wait as `RetryInfo` says where there is one.",
        Code::Unavailable => {
            "Wait as `RetryInfo` says, then retry; a command is safe to repeat with the same `request_id`."
        }
        Code::Unauthenticated | Code::PermissionDenied => "Reserved until calls carry credentials.",
        Code::Unimplemented => "Call a node that serves the method.",
        _ => "Report it with the `trace_id` of the metadata; the log holds what happened under that id.",
    }
}

/// `FAILED_PRECONDITION`
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for (place, character) in format!("{code:?}").char_indices() {
        if place > 0 && character.is_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (reason, comment) in reasons() {
        let code = code_of(reason);
        let name = code_name(code);
        // Values added since the groups were drawn say their code first.
        let meaning = comment.strip_prefix(&format!("{name}: ")).unwrap_or(&comment);
        let (first, rest) = meaning.split_at(meaning.chars().next().map_or(0, char::len_utf8));
        write!(
            page,
            "\n## {}\n\n`{name}` · {}{rest}\n\n{}\n",
            reason_name(reason),
            first.to_uppercase(),
            advice(code)
        )
        .unwrap();
    }
    page
}

#[test]
fn the_page_is_what_the_proto_says() {
    let page = page();
    if std::env::var_os("SOUK_BLESS").is_some() {
        fs::create_dir_all(Path::new(FILE).parent().unwrap()).unwrap();
        fs::write(FILE, &page).unwrap();
    }
    let written = fs::read_to_string(FILE).unwrap_or_default();
    assert!(written == page, "docs/errors.md is old: SOUK_BLESS=1 cargo test -p souk-api --test errors_doc");
}

#[test]
fn codes_are_those_the_comments_group_by() {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/", "souk/v1/errors.proto"))
            .unwrap();
    let mut code = String::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("//") {
            comment.push(words.trim());
            continue;
        }
        if line.is_empty() {
            // A comment by itself heads a group.
            if let Some(word) = comment.first().and_then(|first| first.split([':', '.', ' ']).next()) {
                code = word.to_owned();
            }
        } else if let Some((name, _)) =
            line.split_once(" = ").filter(|(name, _)| name.starts_with("ERROR_REASON_"))
        {
            let reason = Reason::from_str_name(name).unwrap();
            let own = comment.first().and_then(|first| first.split_once(": ")).map(|(code, _)| code);
            let own = own.filter(|own| own.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
            let group = own.unwrap_or(&code);
            let reserved = group == "UNAUTHENTICATED";
            if reason != Reason::Unspecified && !reserved {
                assert_eq!(code_name(code_of(reason)), group, "{name}");
            }
        }
        comment.clear();
    }
}
