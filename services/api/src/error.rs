//! Why a call failed, before it is a status. Services return [`ApiError`] with `?`; [`crate::status`] turns it into a `tonic::Status`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use souk_model::verdict::{Reason, Refusal};

/// Why a call failed, or why the server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// What was asked cannot be done.
    #[error("{}", .0.message)]
    Refused(Box<Refused>),
    /// The runtime could not do it.
    #[error(transparent)]
    Runtime(#[from] souk_runtime::Error),
    /// A bug of ours. The caller gets an id to report; what happened is logged under that id and never leaves the process.
    #[error("{0}")]
    Bug(String),
    /// Somebody else listens there.
    #[error("port {} is taken; --listen 127.0.0.1:0 picks a free one", .0.port())]
    PortTaken(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A refusal of a call: the reason decides the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub reason: Reason,
    /// For a person; every value it names stands in `metadata` too.
    pub message: String,
    /// Every bad field.
    pub fields: Vec<BadField>,
    pub metadata: BTreeMap<Cow<'static, str>, String>,
    /// When to try again; none: as the reason has it.
    pub retry_after: Option<Duration>,
}

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadField {
    /// Path from the request's root: `read.min_position`.
    pub path: String,
    pub reason: Reason,
    /// What to do about it.
    pub message: String,
}

impl ApiError {
    pub fn refused(reason: Reason, message: impl Into<String>) -> Self {
        Self::Refused(Box::new(Refused {
            reason,
            message: message.into(),
            fields: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
        }))
    }

    /// One field at fault. The message says what to do about it and need not repeat the path.
    pub fn field(reason: Reason, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of_fields(vec![BadField { path: path.into(), reason, message: message.into() }])
    }

    pub fn missing(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::field(Reason::FieldMissing, path, message)
    }

    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::field(Reason::FieldInvalid, path, message)
    }

    pub fn out_of_range(
        path: impl Into<String>,
        value: impl Display,
        min: impl Display,
        max: impl Display,
    ) -> Self {
        Self::field(Reason::ValueOutOfRange, path, format!("is {value}, must be {min} to {max}"))
            .with("value", value)
            .with("min", min)
            .with("max", max)
    }

    /// More entries than may stand in one place.
    pub fn too_many(path: impl Into<String>, entries: usize, max: usize) -> Self {
        let path = path.into();
        Self::refused(
            Reason::TooManyItems,
            format!("{path} has {entries} entries, at most {max} may stand there"),
        )
        .with("field", path)
        .with("entries", entries)
        .with("max", max)
    }

    /// Nothing has this name.
    pub fn unknown(reason: Reason, name: impl Into<String>) -> Self {
        let name = name.into();
        Self::refused(reason, format!("{name} is not known")).with("name", name)
    }

    /// Several fields at fault: the first one's reason is the call's.
    pub(crate) fn of_fields(fields: Vec<BadField>) -> Self {
        let reason = fields.first().map_or(Reason::FieldInvalid, |field| field.reason);
        let message = match fields.as_slice() {
            [] => String::new(),
            [only] => format!("{}: {}", only.path, only.message),
            [first, rest @ ..] => {
                format!("{}: {} (and {} more)", first.path, first.message, rest.len())
            }
        };
        let mut error = Self::refused(reason, message);
        if let Self::Refused(refused) = &mut error {
            refused.fields = fields;
        }
        error
    }

    /// Adds a value the message names to the metadata.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Display) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.metadata.insert(Cow::Borrowed(key), value.to_string());
        }
        self
    }

    /// Puts the path of what the fields belong to before each: `queries[3]`.
    #[must_use]
    pub fn within(self, path: &str) -> Self {
        let mut refused = crate::status::refused_of(self);
        for field in &mut refused.fields {
            field.path = format!("{path}.{}", field.path);
        }
        if !refused.fields.is_empty() {
            refused.message = format!("{path}.{}", refused.message);
        }
        Self::Refused(Box::new(refused))
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.retry_after = Some(wait);
        }
        self
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { reason, field, message } = refusal;
        if field.is_empty() {
            return Self::refused(reason, message);
        }
        Self::field(reason, field, message)
    }
}

/// Collects what is wrong with a request, so that an answer names every bad field at once.
#[derive(Debug, Default)]
pub struct Checks {
    fields: Vec<BadField>,
    metadata: BTreeMap<Cow<'static, str>, String>,
    /// The first failure that is not about a field.
    other: Option<ApiError>,
}

impl Checks {
    /// The value, if it is right; else what is wrong is kept for [`Checks::done`].
    pub fn take<T>(&mut self, checked: Result<T, ApiError>) -> Option<T> {
        match checked {
            Ok(value) => return Some(value),
            Err(ApiError::Refused(refused)) if !refused.fields.is_empty() => {
                self.fields.extend(refused.fields);
                for (key, value) in refused.metadata {
                    self.metadata.entry(key).or_insert(value);
                }
            }
            Err(error) => {
                self.other.get_or_insert(error);
            }
        }
        None
    }

    /// Everything was right, or what was not.
    pub fn done(self) -> Result<(), ApiError> {
        if self.fields.is_empty() {
            return self.other.map_or(Ok(()), Err);
        }
        let mut error = ApiError::of_fields(self.fields);
        if let ApiError::Refused(refused) = &mut error {
            refused.metadata = self.metadata;
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_field_is_named() {
        let mut checks = Checks::default();
        assert_eq!(checks.take(Ok(7)), Some(7));
        assert_eq!(checks.take::<()>(Err(ApiError::missing("name", "say which"))), None);
        assert_eq!(checks.take::<()>(Err(ApiError::out_of_range("last", 0, 1, 10))), None);
        let Err(ApiError::Refused(refused)) = checks.done() else { panic!("two fields are bad") };
        assert_eq!(refused.reason, Reason::FieldMissing);
        let paths: Vec<_> = refused.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["name", "last"]);
        assert_eq!(refused.metadata["min"], "1");
        assert_eq!(refused.message, "name: say which (and 1 more)");
    }

    #[test]
    fn a_taken_port_says_what_helps() {
        let error = ApiError::PortTaken(SocketAddr::from(([127, 0, 0, 1], 7070)));
        assert_eq!(error.to_string(), "port 7070 is taken; --listen 127.0.0.1:0 picks a free one");
    }
}
