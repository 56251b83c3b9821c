//! Which methods stream: known from the descriptors, so that nobody keeps a list.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::ApiError;

/// What the gate needs to know of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Health and reflection: they answer when everything else is refused, and hold nothing.
    Control,
    Unary,
    Stream,
}

/// Paths of the public methods that stream, either way.
#[derive(Debug)]
pub(super) struct Methods {
    streams: BTreeSet<String>,
}

impl Methods {
    pub(super) fn new() -> Result<Self, ApiError> {
        let descriptors = FileDescriptorSet::decode(souk_proto::FILE_DESCRIPTOR_SET)
            .map_err(|error| ApiError::Bug(format!("our own descriptors: {error}")))?;
        let mut streams = BTreeSet::new();
        for file in &descriptors.file {
            for service in &file.service {
                let streaming = |method: &&prost_types::MethodDescriptorProto| {
                    method.client_streaming() || method.server_streaming()
                };
                streams.extend(
                    service
                        .method
                        .iter()
                        .filter(streaming)
                        .map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())),
                );
            }
        }
        Ok(Self { streams })
    }

    pub(super) fn kind(&self, path: &str) -> Kind {
        if path.starts_with("/grpc.") {
            Kind::Control
        } else if self.streams.contains(path) {
            Kind::Stream
        } else {
            Kind::Unary
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_their_path() {
        let methods = Methods::new().unwrap();
        assert_eq!(methods.kind("/souk.v1.EventService/StreamEvents"), Kind::Stream);
        assert_eq!(methods.kind("/souk.v1.AnalyticsService/WatchMetric"), Kind::Stream);
        assert_eq!(methods.kind("/souk.v1.EventService/PublishEvents"), Kind::Unary);
        assert_eq!(methods.kind("/grpc.health.v1.Health/Watch"), Kind::Control);
        assert_eq!(methods.kind("/souk.v1.EventService/None"), Kind::Unary);
    }
}
