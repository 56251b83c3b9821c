//! A filter's text in words: names, values, operators, parentheses, each with its offset.

use super::{Operator, invalid};
use crate::ApiError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword or a bare value.
    Word(String),
    /// A value in quotes.
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
}

/// Splits the text. Offsets count bytes.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ApiError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let offset = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => quoted(rest, first, offset)?,
            '=' | '!' | '<' | '>' | ':' => operator(rest, offset)?,
            _ => word(rest),
        };
        tokens.push((offset, token));
        rest = &rest[length..];
    }
}

fn operator(rest: &str, offset: usize) -> Result<(Token, usize), ApiError> {
    let known = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
        (":", Operator::Has),
    ];
    let found = known.into_iter().find(|(sign, _)| rest.starts_with(sign));
    let (sign, operator) = found.ok_or_else(|| invalid(offset, "an operator is one of = != < <= > >= :"))?;
    Ok((Token::Operator(operator), sign.len()))
}

/// A text in quotes; a backslash takes the next character as it is.
fn quoted(rest: &str, quote: char, offset: usize) -> Result<(Token, usize), ApiError> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            end if end == quote => return Ok((Token::Quoted(value), at + 1)),
            other => value.push(other),
        }
    }
    Err(invalid(offset, "the quote is not closed"))
}

fn word(rest: &str) -> (Token, usize) {
    let ends = |character: char| character.is_whitespace() || "()=!<>\"'".contains(character);
    // A colon is an operator after a name, but times hold colons too: only the first one of a word that starts like a name ends it.
    let is_name = rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let length = rest.find(|c: char| ends(c) || (is_name && c == ':')).unwrap_or(rest.len());
    (Token::Word(rest[..length].to_owned()), length)
}
