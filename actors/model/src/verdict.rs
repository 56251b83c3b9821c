//! Verdicts: what became of an event or a command, and why. One closed list of reasons for events, lines and dead letters.

use std::borrow::Cow;

pub use souk_proto::v1::ErrorReason as Reason;

/// Why something was refused: the reason, the field, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message} [{}]", reason.as_str_name())]
pub struct Refusal {
    pub reason: Reason,
    /// Path of the field, such as `product_view.product_id`; empty when no field is to blame.
    pub field: Cow<'static, str>,
    /// What to do about it.
    pub message: Cow<'static, str>,
}

impl Refusal {
    pub fn new(reason: Reason, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason, field: Cow::Owned(field.into()), message: Cow::Owned(message.into()) }
    }

    pub fn missing(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Reason::FieldMissing, field, message)
    }

    /// The same of a field of that message: its path goes before the field's.
    #[cold]
    pub(crate) fn under(mut self, message: &str) -> Self {
        self.field = match self.field.as_ref() {
            "" => Cow::Owned(message.to_owned()),
            field => Cow::Owned(format!("{message}.{field}")),
        };
        self
    }
}

/// The fold's word on one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Counted,
    Duplicate,
    Late,
    Rejected(Refusal),
}
