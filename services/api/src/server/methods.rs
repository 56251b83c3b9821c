//! The methods of the port, known from the descriptors, so that nobody keeps a list: which of them stream, and how long calls of each took.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use souk_runtime::observe::{Durations, Spread};
use tonic::Code;

use super::reflection;
use crate::ApiError;

/// What the gate needs to know of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Health and reflection: they answer when everything else is refused, and hold nothing.
    Control,
    Unary,
    Stream,
}

/// Place of a method among [`Methods`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Methods the descriptors name, and one in whose name all others are counted: callers make up as many as they like.
#[derive(Debug)]
pub struct Methods {
    places: BTreeMap<String, Place>,
    methods: Vec<Method>,
}

#[derive(Debug)]
struct Method {
    /// `souk.v1.EventService/PublishEvents`.
    name: String,
    kind: Kind,
    /// By status code; made when there is the first.
    took: [OnceLock<Box<Durations>>; CODES.len()],
}

/// How long calls of one method took that ended with one status.
#[derive(Debug, Clone, PartialEq)]
pub struct CallsTook {
    pub method: String,
    /// `OK`, `NOT_FOUND`.
    pub code: &'static str,
    pub took: Spread,
}

/// Name of the method nobody serves.
const OTHER: &str = "_OTHER";

/// Names of the status codes, by their number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl Methods {
    pub(super) fn new() -> Result<Self, ApiError> {
        let sets = reflection::descriptors()?;
        let files = sets.iter().flat_map(|set| &set.file);
        let services = files.flat_map(|file| file.service.iter().map(|service| (file.package(), service)));
        let declared = services.flat_map(|(package, service)| {
            service.method.iter().map(move |method| {
                let name = format!("{package}.{}/{}", service.name(), method.name());
                let kind = match () {
                    () if is_control(&name) => Kind::Control,
                    () if method.client_streaming() || method.server_streaming() => Kind::Stream,
                    () => Kind::Unary,
                };
                Method { name, kind, took: Default::default() }
            })
        });
        let other = Method { name: OTHER.to_owned(), kind: Kind::Unary, took: Default::default() };
        let methods: Vec<Method> = declared.chain([other]).collect();
        let places = (0..).map(Place).zip(&methods).map(|(place, method)| (method.name.clone(), place));
        Ok(Self { places: places.collect(), methods })
    }

    /// The method at a path: `/souk.v1.EventService/PublishEvents`.
    pub(super) fn place(&self, path: &str) -> Place {
        let known = path.strip_prefix('/').and_then(|name| self.places.get(name));
        known.copied().unwrap_or(Place(self.methods.len() - 1))
    }

    /// Reflection of either version is none of our descriptors.
    pub(super) fn kind(&self, place: Place, path: &str) -> Kind {
        match path.strip_prefix('/') {
            Some(name) if is_control(name) => Kind::Control,
            _ => self.methods[place.0].kind,
        }
    }

    pub(super) fn name(&self, place: Place) -> &str {
        &self.methods[place.0].name
    }

    pub(super) fn code(code: Code) -> &'static str {
        CODES[code as usize]
    }

    /// A call has ended.
    pub(super) fn ended(&self, place: Place, code: Code, took: std::time::Duration) {
        let durations = &self.methods[place.0].took[code as usize];
        durations.get_or_init(Box::default).observe(took, 1);
    }

    /// How long calls took, of every method and status there was.
    pub fn took(&self) -> Vec<CallsTook> {
        let of = |method: &Method| {
            let seen = CODES.into_iter().zip(&method.took);
            let seen = seen.filter_map(|(code, took)| Some((code, took.get()?.spread())));
            seen.map(|(code, took)| CallsTook { method: method.name.clone(), code, took }).collect::<Vec<_>>()
        };
        self.methods.iter().flat_map(of).collect()
    }
}

fn is_control(name: &str) -> bool {
    name.starts_with("grpc.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn streams_are_known_by_their_path() {
        let methods = Methods::new().unwrap();
        let kind = |path| methods.kind(methods.place(path), path);
        assert_eq!(kind("/souk.v1.EventService/StreamEvents"), Kind::Stream);
        assert_eq!(kind("/souk.v1.AnalyticsService/WatchMetric"), Kind::Stream);
        assert_eq!(kind("/souk.v1.EventService/PublishEvents"), Kind::Unary);
        assert_eq!(kind("/grpc.health.v1.Health/Watch"), Kind::Control);
        assert_eq!(kind("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), Kind::Control);
        assert_eq!(kind("/souk.v1.EventService/None"), Kind::Unary);
    }

    #[test]
    fn calls_are_told_apart_by_method_and_status_and_unknown_ones_are_one() {
        let methods = Methods::new().unwrap();
        let place = |path| methods.place(path);
        let took = Duration::from_millis(1);
        methods.ended(place("/souk.v1.EventService/PublishEvents"), Code::Ok, took);
        methods.ended(place("/souk.v1.EventService/PublishEvents"), Code::Ok, took);
        methods.ended(place("/souk.v1.EventService/PublishEvents"), Code::Unauthenticated, took);
        methods.ended(place("/a/b"), Code::Unimplemented, took);
        methods.ended(place("/_OTHER"), Code::Unimplemented, took);
        let took = methods.took();
        let seen: Vec<_> = took.iter().map(|took| (&*took.method, took.code, took.took.count)).collect();
        let publish = "souk.v1.EventService/PublishEvents";
        let expected = [(publish, "OK", 2), (publish, "UNAUTHENTICATED", 1), (OTHER, "UNIMPLEMENTED", 2)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn codes_are_named_by_their_number() {
        assert_eq!(CODES[Code::Cancelled as usize], "CANCELLED");
        assert_eq!(CODES[Code::ResourceExhausted as usize], "RESOURCE_EXHAUSTED");
        assert_eq!(CODES[Code::Unauthenticated as usize], "UNAUTHENTICATED");
    }
}
