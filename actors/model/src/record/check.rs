//! Checks every field of a record goes through: a bound and a charset each. Fields are named relative to their message;
//! [`within`] puts the message's name before them, on the way out of a failure only.

use std::borrow::Cow;

use souk_proto::v1;

use crate::limits::{ID_BYTES, TEXT_BYTES};
use crate::money::Money;
use crate::verdict::{Reason, Refusal};

/// What every check answers.
pub(super) type Checked = Result<(), Refusal>;

/// Before the session of a guest's user id.
pub(super) const GUEST: &str = "guest:";

/// Which bytes an id may hold: `A-Z a-z 0-9 . _ ~ : @ + -`.
const ID_CHARSET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9')
            || matches!(byte as u8, b'.' | b'_' | b'~' | b':' | b'@' | b'+' | b'-');
        byte += 1;
    }
    table
};

/// Puts the message's name before the field a check names.
#[inline]
pub(super) fn within<T>(message: &str, checked: Result<T, Refusal>) -> Result<T, Refusal> {
    checked.map_err(|refusal| refusal.under(message))
}

/// Checks entries of a list, each under its place.
pub(super) fn each<T>(field: &str, items: &[T], mut check: impl FnMut(&T) -> Checked) -> Checked {
    for (place, item) in items.iter().enumerate() {
        check(item).map_err(|refusal| refusal.under(&format!("{field}[{place}]")))?;
    }
    Ok(())
}

#[cold]
pub(super) fn missing(field: &'static str) -> Refusal {
    refuse(Reason::FieldMissing, field, "is needed")
}

#[cold]
pub(super) fn invalid(field: &'static str, message: &'static str) -> Refusal {
    refuse(Reason::FieldInvalid, field, message)
}

#[cold]
pub(super) fn refuse(reason: Reason, field: &'static str, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal { reason, field: Cow::Borrowed(field), message: message.into() }
}

/// An id that must be there.
#[inline]
pub(super) fn id(field: &'static str, value: &str) -> Checked {
    if is_id(value) { Ok(()) } else { Err(id_refusal(field, value)) }
}

/// An id, or none.
#[inline]
pub(super) fn optional_id(field: &'static str, value: &str) -> Checked {
    if value.is_empty() { Ok(()) } else { id(field, value) }
}

/// Whether a text may name a user: an id, or `guest:` and the id of a session.
pub fn is_user_id(value: &str) -> bool {
    is_id(value.strip_prefix(GUEST).unwrap_or(value))
}

/// A user's id: an id, or that of a guest, `guest:` and the id of a session.
#[inline]
pub(super) fn user_id(field: &'static str, value: &str) -> Checked {
    id(field, value.strip_prefix(GUEST).unwrap_or(value))
}

#[cold]
fn id_refusal(field: &'static str, value: &str) -> Refusal {
    if value.is_empty() {
        missing(field)
    } else {
        invalid(field, "ids are 1 to 64 of A-Z a-z 0-9 . _ ~ : @ + -")
    }
}

/// Whether a text may name something: 1 to 64 of `A-Z a-z 0-9 . _ ~ : @ + -`.
#[inline]
pub fn is_id(value: &str) -> bool {
    (1..=ID_BYTES).contains(&value.len()) && value.bytes().all(|byte| ID_CHARSET[usize::from(byte)])
}

/// A text of one line that must be there.
#[inline]
pub(super) fn text(field: &'static str, value: &str) -> Checked {
    if value.is_empty() { Err(missing(field)) } else { optional_text(field, value) }
}

/// A text of one line, or none.
#[inline]
pub(super) fn optional_text(field: &'static str, value: &str) -> Checked {
    bounded_text(field, value, TEXT_BYTES)
}

/// A text of one line of at most `most` bytes, or none.
#[inline]
pub(super) fn bounded_text(field: &'static str, value: &str, most: usize) -> Checked {
    if value.len() > most {
        return Err(refuse(Reason::FieldInvalid, field, format!("is at most {most} bytes")));
    }
    if has_control(value) {
        return Err(invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Looks at bytes first, without branches: only those that start a C1 control make it look at characters.
#[inline]
fn has_control(value: &str) -> bool {
    const STARTS_C1: u8 = 0xc2;
    let suspicious = |found, byte: u8| found | (byte < 0x20) | (byte == 0x7f) | (byte == STARTS_C1);
    value.bytes().fold(false, suspicious) && value.chars().any(char::is_control)
}

/// A number within its bounds, both included.
#[inline]
pub(super) fn range(field: &'static str, value: i64, least: i64, most: i64) -> Checked {
    if (least..=most).contains(&value) { Ok(()) } else { Err(out_of_range(field, least, most)) }
}

#[cold]
fn out_of_range(field: &'static str, least: i64, most: i64) -> Refusal {
    refuse(Reason::ValueOutOfRange, field, format!("must be {least} to {most}"))
}

/// A finite number within its bounds, both included.
#[inline]
pub(super) fn float_range(field: &'static str, value: f64, least: f64, most: f64) -> Checked {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(refuse(Reason::ValueOutOfRange, field, format!("must be {least} to {most}")))
    }
}

/// At most so many entries.
#[inline]
pub(super) fn count(field: &'static str, entries: usize, most: usize) -> Checked {
    if entries <= most {
        Ok(())
    } else {
        Err(refuse(Reason::TooManyItems, field, format!("at most {most} entries")))
    }
}

/// An amount that must be there.
#[inline]
pub(super) fn money(field: &'static str, value: Option<&v1::Money>) -> Result<Money, Refusal> {
    Money::read(field, value)
}

/// An amount, or none.
#[inline]
pub(super) fn optional_money(
    field: &'static str,
    value: Option<&v1::Money>,
) -> Result<Option<Money>, Refusal> {
    value.map(|value| Money::read(field, Some(value))).transpose()
}

/// A value of an enum that must be said: `Unspecified` is missing, an unknown number invalid.
#[inline]
pub(super) fn said<E: TryFrom<i32> + Default + PartialEq>(
    field: &'static str,
    value: i32,
) -> Result<E, Refusal> {
    let value = known::<E>(field, value)?;
    if value == E::default() { Err(missing(field)) } else { Ok(value) }
}

/// A value of an enum, or `Unspecified`.
#[inline]
pub(super) fn known<E: TryFrom<i32>>(field: &'static str, value: i32) -> Result<E, Refusal> {
    E::try_from(value).map_err(|_| invalid(field, "is no value of its enum"))
}
