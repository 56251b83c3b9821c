//! The values of one message, each read as what it must be. A failure names the path it is about, as the message has it.

use std::borrow::Cow;

use prost_types::{Duration, Timestamp};
use souk_model::money::Currency;
use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;

use crate::decimal::{Scaled, scaled};
use crate::field::{FIELDS, Field};
use crate::format::Format;
use crate::limits::{LABELS, SHOWN_BYTES};
use crate::scan::{Table, Values};
use crate::time;

/// Values of a message: the fields, the parts of its kind, its labels.
pub(crate) const PLACES: usize = FIELDS + KIND_PARTS + LABELS;
/// Paths that may say together of what kind a message is.
pub(crate) const KIND_PARTS: usize = 2;
/// Where labels begin.
pub(crate) const LABEL_PLACES: usize = FIELDS + KIND_PARTS;

pub(crate) type Read<T> = Result<T, Refusal>;

/// A message, or a line of one.
#[derive(Debug)]
pub(crate) struct Draft<'f, 'm> {
    format: &'f Format,
    values: Values<'m, PLACES>,
    /// The line's place, in a line.
    line: Option<usize>,
}

impl<'f, 'm> Draft<'f, 'm> {
    pub(crate) fn read(format: &'f Format, table: &Table, message: &'m [u8]) -> Read<Self> {
        Ok(Self { format, values: Values::read(table, message)?, line: None })
    }

    /// One of the lines this message has.
    pub(crate) fn line(&self, place: usize, message: &'m str) -> Read<Self> {
        let Some(table) = &self.format.lines else {
            return Err(self.wrong(Field::Lines, "are not declared"));
        };
        let values = Values::read(table, message.as_bytes()).map_err(|refusal| {
            let path = format!("{}[{place}]", self.format.path(Field::Lines));
            Refusal { field: join(&path, &refusal.field).into(), ..refusal }
        })?;
        Ok(Self { format: self.format, values, line: Some(place) })
    }

    pub(crate) fn format(&self) -> &'f Format {
        self.format
    }

    /// A value as it stands in the message.
    pub(crate) fn raw(&self, field: Field) -> Option<&'m str> {
        self.values.get(field.place())
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.raw(field).is_some()
    }

    /// What stands at a place that is no field: a part of the kind, a label.
    pub(crate) fn text_at(&self, place: usize) -> Option<Option<Cow<'m, str>>> {
        self.values.get(place).map(text)
    }

    /// The path of a field, as a person finds it in the message.
    fn path(&self, field: Field) -> String {
        match self.line {
            Some(place) => {
                let path = format!("{}[{place}]", self.format.path(Field::Lines));
                join(&path, self.format.line_path(field))
            }
            None => self.format.path(field).to_owned(),
        }
    }

    #[cold]
    pub(crate) fn wrong(&self, field: Field, message: &str) -> Refusal {
        let shown = self.raw(field).filter(|raw| raw.len() <= SHOWN_BYTES);
        let message = shown.map_or_else(|| message.to_owned(), |raw| format!("{message}; it is {raw}"));
        Refusal::new(Reason::FieldInvalid, self.path(field), message)
    }

    #[cold]
    pub(crate) fn missing(&self, field: Field) -> Refusal {
        Refusal::missing(self.path(field), "is needed")
    }

    /// A text; empty where there is none. A number stands for its digits: many ids are.
    pub(crate) fn text(&self, field: Field) -> Read<String> {
        let Some(raw) = self.raw(field) else { return Ok(String::new()) };
        text(raw).map(Cow::into_owned).ok_or_else(|| self.wrong(field, "must be a text"))
    }

    /// Texts of a list.
    pub(crate) fn texts(&self, field: Field, most: usize) -> Read<Vec<String>> {
        let Some(raw) = self.raw(field) else { return Ok(Vec::new()) };
        let items: Vec<String> =
            serde_json::from_str(raw).map_err(|_| self.wrong(field, "must be a list of texts"))?;
        if items.len() > most { Err(self.wrong(field, "has too many entries")) } else { Ok(items) }
    }

    /// Entries of a list, as they stand in the message.
    pub(crate) fn entries(&self, field: Field, most: usize) -> Read<Vec<&'m str>> {
        let Some(raw) = self.raw(field) else { return Ok(Vec::new()) };
        let entries: Vec<&'m serde_json::value::RawValue> =
            serde_json::from_str(raw).map_err(|_| self.wrong(field, "must be a list"))?;
        if entries.len() > most {
            return Err(Refusal::new(
                Reason::TooManyItems,
                self.path(field),
                format!("at most {most} entries"),
            ));
        }
        Ok(entries.into_iter().map(serde_json::value::RawValue::get).collect())
    }

    fn scaled(&self, field: Field, raw: &str, places: u32) -> Read<Scaled> {
        let number = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(raw);
        scaled(number, places).ok_or_else(|| self.wrong(field, "must be a number"))
    }

    /// A whole number.
    pub(crate) fn integer(&self, field: Field) -> Read<Option<i64>> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let number = self.scaled(field, raw, 0)?;
        if number.is_exact {
            Ok(Some(number.value))
        } else {
            Err(self.wrong(field, "must be a whole number"))
        }
    }

    /// A whole number of the size most of them have.
    pub(crate) fn small(&self, field: Field) -> Read<Option<i32>> {
        let number = self.integer(field)?;
        number.map(i32::try_from).transpose().map_err(|_| self.wrong(field, "is too large"))
    }

    /// A number of a declared unit, in thousandths of it, rounded.
    pub(crate) fn thousandths(&self, field: Field) -> Read<Option<i64>> {
        self.raw(field).map(|raw| Ok(self.scaled(field, raw, 3)?.value)).transpose()
    }

    pub(crate) fn float(&self, field: Field) -> Read<Option<f64>> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let number: f64 = raw.parse().map_err(|_| self.wrong(field, "must be a number"))?;
        Ok(Some(number))
    }

    pub(crate) fn duration(&self, field: Field) -> Read<Option<Duration>> {
        let millis = self.thousandths(field)?;
        Ok(millis
            .map(|millis| Duration { seconds: millis / 1_000, nanos: (millis % 1_000 * 1_000_000) as i32 }))
    }

    pub(crate) fn time(&self, field: Field) -> Read<Option<Timestamp>> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let read = match raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => self.format.time.read(text),
            Some(text) => time::iso(text),
            None => self.format.time.read(raw),
        };
        read.map(Some).ok_or_else(|| self.wrong(field, "must be a time"))
    }

    /// The currency of this message's amounts.
    pub(crate) fn currency(&self) -> Read<Currency> {
        let Some(raw) = self.raw(Field::Currency) else { return Ok(self.format.currency) };
        let code = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        Currency::parse(code).ok_or_else(|| {
            Refusal::new(
                Reason::CurrencyUnknown,
                self.path(Field::Currency),
                "must be an ISO 4217 code, such as EUR",
            )
        })
    }

    /// An amount in main units of a currency, as minor units.
    pub(crate) fn money(&self, field: Field, currency: Currency) -> Read<Option<v1::Money>> {
        let Some(raw) = self.raw(field) else { return Ok(None) };
        let amount = self.scaled(field, raw, currency.exponent())?;
        if !amount.is_exact && !self.format.rounds {
            return Err(self.wrong(field, "has more decimals than its currency"));
        }
        let currency_code = currency.code().to_owned();
        Ok(Some(v1::Money { currency_code, minor_units: Some(amount.value) }))
    }
}

fn join(path: &str, rest: &str) -> String {
    if rest.is_empty() { path.to_owned() } else { format!("{path}.{rest}") }
}

/// A text of JSON, or the digits of a number. None: it is neither.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => match raw[1..raw.len() - 1].contains('\\') {
            false => Some(Cow::Borrowed(&raw[1..raw.len() - 1])),
            true => serde_json::from_str(raw).ok().map(Cow::Owned),
        },
        b'-' | b'0'..=b'9' | b't' | b'f' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}
