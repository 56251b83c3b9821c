//! Filters of lists: the AIP-160 subset `field op value` with AND, OR, NOT and parentheses.
//!
//! Operators are `= != < <= > >=` and `:`, which finds a text within a text (`:*`: the field has a value). Values stand bare or in
//! quotes. As in AIP-160, OR binds closer than AND: `a = 1 AND b = 2 OR b = 3` asks for one of two b's. A caller declares its fields with
//! their kinds; whatever does not fit is FILTER_INVALID with the `offset` where reading stopped.

mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use souk_model::time::Millis;
use souk_model::verdict::Reason;

use crate::ApiError;

/// A field that can be filtered by. A name that ends in `.*` stands for every key of a map: `labels.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Takes every operator; order is that of the bytes.
    Text,
    /// One of these words; takes `=` and `!=`.
    Word(&'static [&'static str]),
    /// Takes every operator but `:`.
    Integer,
    /// RFC 3339; takes every operator but `:`.
    Time,
    /// `true` or `false`; takes `=` and `!=`.
    Flag,
}

impl Field {
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }
}

/// A row's value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// The row has none: only `!=` holds.
    Absent,
    /// Of a text or a word.
    Text(&'a str),
    Integer(i64),
    Time(Millis),
    Flag(bool),
}

/// A filter that was read; the empty one holds for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    expression: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    operator: Operator,
    wanted: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Text(String),
    /// `:*`
    Anything,
    Integer(i64),
    Time(Millis),
    Flag(bool),
}

impl Filter {
    /// Reads a filter by `fields`.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, ApiError> {
        parser::parse(text, fields).map(|expression| Self { expression })
    }

    /// Whether it holds for everything.
    pub fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    /// Whether it names a field: then it may be worth computing.
    pub fn names(&self, field: &str) -> bool {
        self.expression.as_ref().is_some_and(|expression| expression.names(field))
    }

    /// Whether it holds for a row whose fields `value_of` knows.
    pub fn holds<'a>(&self, value_of: impl Fn(&str) -> Value<'a>) -> bool {
        self.expression.as_ref().is_none_or(|expression| expression.holds(&value_of))
    }
}

impl Expression {
    fn names(&self, field: &str) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.names(field)),
            Self::Not(part) => part.names(field),
            Self::Term(term) => term.field == field,
        }
    }

    fn holds<'a>(&self, value_of: &impl Fn(&str) -> Value<'a>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(value_of)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value_of)),
            Self::Not(part) => !part.holds(value_of),
            Self::Term(term) => term.holds(value_of(&term.field)),
        }
    }
}

impl Term {
    fn holds(&self, value: Value<'_>) -> bool {
        let order = match (value, &self.wanted) {
            (Value::Text(value), Wanted::Text(wanted)) if self.operator == Operator::Has => {
                return value.contains(wanted.as_str());
            }
            (Value::Absent, _) => return self.operator == Operator::NotEqual,
            (_, Wanted::Anything) => return true,
            (Value::Text(value), Wanted::Text(wanted)) => value.cmp(wanted.as_str()),
            (Value::Integer(value), Wanted::Integer(wanted)) => value.cmp(wanted),
            (Value::Time(value), Wanted::Time(wanted)) => value.cmp(wanted),
            (Value::Flag(value), Wanted::Flag(wanted)) => value.cmp(wanted),
            // Fields give values of the kind they were declared with: this one has another, and so differs.
            _ => return self.operator == Operator::NotEqual,
        };
        match self.operator {
            Operator::Equal | Operator::Has => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cold]
fn invalid(offset: usize, message: impl Into<String>) -> ApiError {
    let message = format!("at {offset}: {}", message.into());
    ApiError::field(Reason::FilterInvalid, "filter", message).with("offset", offset)
}
