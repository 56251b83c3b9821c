//! What reflection serves: our files with their comments, google.rpc so that a client can decode an error's details, and health.
//!
//! Tools print `userId` only where the descriptors hold `json_name`; compilers of protos differ in whether they write it, so it is filled
//! in wherever it is missing.

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

use crate::ApiError;

/// Every set that is served, with each field's JSON name.
pub(super) fn descriptors() -> Result<Vec<FileDescriptorSet>, ApiError> {
    let sets = [
        souk_proto::FILE_DESCRIPTOR_SET,
        tonic_types::pb::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
    ];
    let named = sets.into_iter().map(|set| FileDescriptorSet::decode(set).map(with_json_names));
    named.collect::<Result<_, _>>().map_err(|error| ApiError::Bug(format!("our own descriptors: {error}")))
}

fn with_json_names(mut set: FileDescriptorSet) -> FileDescriptorSet {
    set.file.iter_mut().flat_map(|file| &mut file.message_type).for_each(name_fields);
    set
}

fn name_fields(message: &mut DescriptorProto) {
    for field in &mut message.field {
        if field.json_name.is_none() {
            field.json_name = Some(json_name(field.name()));
        }
    }
    message.nested_type.iter_mut().for_each(name_fields);
}

/// `user_id` as protobuf's JSON mapping writes it: `userId`.
fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut raise = false;
    for character in name.chars() {
        match character {
            '_' => raise = true,
            _ if raise => {
                json.push(character.to_ascii_uppercase());
                raise = false;
            }
            _ => json.push(character),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(set: &FileDescriptorSet) -> Vec<&DescriptorProto> {
        fn below<'a>(message: &'a DescriptorProto, found: &mut Vec<&'a DescriptorProto>) {
            found.push(message);
            message.nested_type.iter().for_each(|nested| below(nested, found));
        }
        let mut found = Vec::new();
        set.file.iter().flat_map(|file| &file.message_type).for_each(|message| below(message, &mut found));
        found
    }

    #[test]
    fn every_field_is_served_with_its_json_name() {
        let sets = descriptors().unwrap();
        let fields: Vec<_> = sets.iter().flat_map(messages).flat_map(|message| &message.field).collect();
        assert!(fields.iter().all(|field| field.json_name.is_some()));
        let user_id = fields.iter().find(|field| field.name() == "user_id").expect("events have one");
        assert_eq!(user_id.json_name(), "userId");
    }

    #[test]
    fn comments_are_served() {
        let sets = descriptors().unwrap();
        let file = sets[0].file.iter().find(|file| file.name() == "souk/v1/event_service.proto").unwrap();
        let locations = &file.source_code_info.as_ref().unwrap().location;
        assert!(locations.iter().any(|location| location.leading_comments().contains("Takes events")));
    }

    #[test]
    fn details_of_errors_can_be_decoded() {
        let sets = descriptors().unwrap();
        let names: Vec<_> = sets.iter().flat_map(messages).map(DescriptorProto::name).collect();
        for detail in ["ErrorInfo", "BadRequest", "RetryInfo", "Help", "HealthCheckRequest"] {
            assert!(names.contains(&detail), "{detail}");
        }
    }
}
