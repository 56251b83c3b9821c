//! Words of a filter to an expression, checked against the declared fields.

use souk_model::time::from_timestamp;

use super::lexer::{Token, tokens};
use super::{Expression, Field, Kind, Operator, Term, Wanted, invalid};
use crate::ApiError;
use crate::limits::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};

pub(super) fn parse(text: &str, fields: &[Field]) -> Result<Option<Expression>, ApiError> {
    if text.len() > FILTER_BYTES {
        return Err(invalid(FILTER_BYTES, format!("a filter is at most {FILTER_BYTES} bytes")));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens: &tokens, end: text.len(), fields, terms: 0 };
    let expression = parser.conjunction(0)?;
    match parser.tokens.first() {
        None => Ok(Some(expression)),
        Some((offset, _)) => Err(invalid(*offset, "AND, OR or the end was expected")),
    }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    end: usize,
    fields: &'a [Field],
    terms: usize,
}

impl<'a> Parser<'a> {
    fn offset(&self) -> usize {
        self.tokens.first().map_or(self.end, |(offset, _)| *offset)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let ((_, token), rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(token)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.tokens.first(), Some((_, Token::Word(word))) if word == keyword);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn conjunction(&mut self, depth: usize) -> Result<Expression, ApiError> {
        let mut parts = vec![self.alternatives(depth)?];
        while self.takes("AND") {
            parts.push(self.alternatives(depth)?);
        }
        Ok(joined(parts, Expression::All))
    }

    fn alternatives(&mut self, depth: usize) -> Result<Expression, ApiError> {
        let mut parts = vec![self.factor(depth)?];
        while self.takes("OR") {
            parts.push(self.factor(depth)?);
        }
        Ok(joined(parts, Expression::Any))
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, ApiError> {
        let offset = self.offset();
        if depth > FILTER_DEPTH {
            return Err(invalid(
                offset,
                format!("at most {FILTER_DEPTH} parentheses or NOTs inside each other"),
            ));
        }
        if self.takes("NOT") {
            return Ok(Expression::Not(Box::new(self.factor(depth + 1)?)));
        }
        if !matches!(self.tokens.first(), Some((_, Token::Open))) {
            return self.term().map(Expression::Term);
        }
        self.next();
        let inner = self.conjunction(depth + 1)?;
        let offset = self.offset();
        match self.next() {
            Some(Token::Close) => Ok(inner),
            _ => Err(invalid(offset, "`)` was expected")),
        }
    }

    fn term(&mut self) -> Result<Term, ApiError> {
        let at_name = self.offset();
        let Some(Token::Word(name)) = self.next() else {
            return Err(invalid(at_name, "the name of a field was expected"));
        };
        let field = self.field(name, at_name)?;
        let at_operator = self.offset();
        let Some(Token::Operator(operator)) = self.next() else {
            return Err(invalid(at_operator, "an operator was expected: = != < <= > >= :"));
        };
        if !takes(field.kind, *operator) {
            return Err(invalid(at_operator, format!("{name} does not take this operator")));
        }
        let at_value = self.offset();
        let wanted = match self.next() {
            Some(Token::Word(word)) if word == "*" && *operator == Operator::Has => Wanted::Anything,
            Some(Token::Word(value) | Token::Quoted(value)) => wanted(field, value, at_value)?,
            _ => return Err(invalid(at_value, "a value was expected")),
        };
        self.terms += 1;
        if self.terms > FILTER_TERMS {
            return Err(invalid(at_name, format!("at most {FILTER_TERMS} comparisons")));
        }
        Ok(Term { field: name.clone(), operator: *operator, wanted })
    }

    fn field(&self, name: &str, offset: usize) -> Result<&'a Field, ApiError> {
        let is_meant = |field: &&Field| match field.name.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => field.name == name,
        };
        self.fields.iter().find(is_meant).ok_or_else(|| {
            let known: Vec<_> = self.fields.iter().map(|field| field.name).collect();
            let known = known.join(", ");
            invalid(offset, format!("cannot filter by `{name}`; fields are {known}")).with("fields", known)
        })
    }
}

/// One part stands for itself.
fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn takes(kind: Kind, operator: Operator) -> bool {
    match kind {
        Kind::Text => true,
        Kind::Integer | Kind::Time => operator != Operator::Has,
        Kind::Word(_) | Kind::Flag => matches!(operator, Operator::Equal | Operator::NotEqual),
    }
}

fn wanted(field: &Field, value: &str, offset: usize) -> Result<Wanted, ApiError> {
    let name = field.name;
    match field.kind {
        Kind::Text => Ok(Wanted::Text(value.to_owned())),
        Kind::Word(words) if words.contains(&value) => Ok(Wanted::Text(value.to_owned())),
        Kind::Word(words) => Err(invalid(offset, format!("{name} is one of {}", words.join(", ")))),
        Kind::Integer => {
            let number = value.parse().map_err(|_| invalid(offset, format!("{name} is an integer")))?;
            Ok(Wanted::Integer(number))
        }
        Kind::Time => {
            let parsed = value.parse::<prost_types::Timestamp>();
            let time = parsed
                .map_err(|_| invalid(offset, format!("{name} is a time as \"2026-11-21T10:00:00Z\"")))?;
            Ok(Wanted::Time(from_timestamp(&time)))
        }
        Kind::Flag => match value {
            "true" => Ok(Wanted::Flag(true)),
            "false" => Ok(Wanted::Flag(false)),
            _ => Err(invalid(offset, format!("{name} is true or false"))),
        },
    }
}
