//! The API's descriptors: methods by name, messages from JSON and to it.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use souk_model::settings::nearest;

use crate::cli::exit::Failure;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(souk_proto::FILE_DESCRIPTOR_SET).expect("the build made the descriptor set")
});

/// `souk.v1.Event`, for files of them.
pub(crate) fn event() -> MessageDescriptor {
    POOL.get_message_by_name("souk.v1.Event").expect("the set holds the whole API")
}

/// Every method, as `AnalyticsService/QueryMetric`.
fn methods() -> impl Iterator<Item = (String, MethodDescriptor)> {
    POOL.services().flat_map(|service| {
        let name = service.name().to_owned();
        service.methods().map(move |method| (format!("{name}/{}", method.name()), method)).collect::<Vec<_>>()
    })
}

/// Finds a method: `AnalyticsService/QueryMetric`, with or without `souk.v1.` before it.
pub(crate) fn method(name: &str) -> Result<MethodDescriptor, Failure> {
    let short = name.strip_prefix("souk.v1.").unwrap_or(name);
    let all: Vec<_> = methods().collect();
    if let Some((_, method)) = all.iter().find(|(known, _)| known == short) {
        return Ok(method.clone());
    }
    let failure = Failure::usage(format_args!("there is no method {name:?}"));
    match nearest(short, all.iter().map(|(known, _)| known.as_str())) {
        Some(near) => Err(failure.hint(format_args!("near: {near}"))),
        None => {
            let names: Vec<_> = all.into_iter().map(|(known, _)| known).collect();
            Err(failure.hint(format_args!("all: {}", names.join(" "))))
        }
    }
}

/// Reads a message from proto3 JSON.
pub(crate) fn from_json(descriptor: MessageDescriptor, json: Value) -> Result<DynamicMessage, Failure> {
    let name = descriptor.full_name().to_owned();
    DynamicMessage::deserialize(descriptor, json)
        .map_err(|error| Failure::usage(format_args!("that is no {name}: {error}")))
}

/// A message as proto3 JSON. Zeros that mean something are there, because the API gives them presence.
pub(crate) fn to_json(message: &DynamicMessage) -> Value {
    serde_json::to_value(message).expect("every message of the API has a JSON form")
}
