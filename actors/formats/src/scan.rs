//! One pass over a message: where the values of the declared paths lie. Nothing is copied and no value is read yet.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use souk_model::verdict::{Reason, Refusal};

/// The names of one object of a message, and what stands under each.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    entries: Vec<(Box<str>, To)>,
    /// Places of the names of each length, the last list for all longer ones: few are compared to find one.
    by_length: [Vec<u16>; LENGTHS],
    /// A name that is not among them is refused.
    closed: bool,
}

/// Lengths of names that have a list of their own.
const LENGTHS: usize = 20;

/// What stands under a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum To {
    /// A value: its place among the values, and whether it is written there; of several paths to one field only the first is.
    Value(usize, bool),
    Object(Table),
}

impl Table {
    pub(crate) fn new(closed: bool) -> Self {
        Self { closed, ..Self::default() }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn entries(&self) -> &[(Box<str>, To)] {
        &self.entries
    }

    /// What stands under a name; put there by `make` if nothing does yet.
    pub(crate) fn entry(&mut self, name: &str, make: impl FnOnce() -> To) -> &mut To {
        let at = self.find(name).unwrap_or_else(|| {
            self.by_length[name.len().min(LENGTHS - 1)].push(self.entries.len() as u16);
            self.entries.push((name.into(), make()));
            self.entries.len() - 1
        });
        &mut self.entries[at].1
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let mut places = self.by_length[name.len().min(LENGTHS - 1)].iter().map(|place| usize::from(*place));
        places.find(|place| *self.entries[*place].0 == *name)
    }
}

/// Values by place, each as its text in the message; empty where the message has none.
#[derive(Debug)]
pub(crate) struct Values<'m, const N: usize>([&'m str; N]);

impl<'m, const N: usize> Values<'m, N> {
    /// Reads one object.
    pub(crate) fn read(table: &Table, message: &'m [u8]) -> Result<Self, Refusal> {
        let mut values = Self([""; N]);
        let mut refused = None;
        // Looked at once as a whole: value by value it costs a third of all reading.
        let message = std::str::from_utf8(message)
            .map_err(|error| Refusal::new(Reason::PayloadUndecodable, "", error.to_string()))?;
        let mut json = serde_json::Deserializer::from_str(message);
        let walk = Walk { table, values: &mut values.0, refused: &mut refused };
        match walk.deserialize(&mut json).and_then(|()| json.end()) {
            Ok(()) => Ok(values),
            Err(error) => {
                Err(refused
                    .unwrap_or_else(|| Refusal::new(Reason::PayloadUndecodable, "", error.to_string())))
            }
        }
    }

    /// The text of a value; none where the message has none or `null`.
    pub(crate) fn get(&self, place: usize) -> Option<&'m str> {
        Some(self.0[place]).filter(|raw| !matches!(*raw, "" | "null"))
    }
}

/// Goes through one object.
struct Walk<'t, 'w, 'm> {
    table: &'t Table,
    values: &'w mut [&'m str],
    refused: &'w mut Option<Refusal>,
}

impl<'m> DeserializeSeed<'m> for Walk<'_, '_, 'm> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'m>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'m> Visitor<'m> for Walk<'_, '_, 'm> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'m>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(Name(self.table))? {
            let Some(at) = found.map_err(|name| self.refuse(name))? else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let (name, to) = &self.table.entries[at];
            match to {
                To::Value(place, _) => {
                    let raw = map.next_value::<&'m RawValue>()?.get();
                    // Of two paths to one field the first that says something counts.
                    if matches!(self.values[*place], "" | "null") {
                        self.values[*place] = raw;
                    }
                }
                To::Object(table) => {
                    let raw = map.next_value::<&'m RawValue>()?.get();
                    self.object(name, table, raw)?;
                }
            }
        }
        Ok(())
    }
}

impl<'m> Walk<'_, '_, 'm> {
    /// Goes through an object within.
    fn object<E: serde::de::Error>(&mut self, name: &str, table: &Table, raw: &'m str) -> Result<(), E> {
        if raw == "null" {
            return Ok(());
        }
        if !raw.starts_with('{') {
            *self.refused = Some(Refusal::new(Reason::FieldInvalid, name, "must be an object"));
            return Err(E::custom("not an object"));
        }
        let mut json = serde_json::Deserializer::from_str(raw);
        let walk = Walk { table, values: self.values, refused: self.refused };
        walk.deserialize(&mut json).map_err(E::custom)
    }

    #[cold]
    fn refuse<E: serde::de::Error>(&mut self, name: String) -> E {
        *self.refused = Some(Refusal::new(Reason::FieldInvalid, name, "is no field of this format"));
        E::custom("unknown field")
    }
}

/// Finds a name in a table; the name itself only where it must be refused.
struct Name<'t>(&'t Table);

type Found = Result<Option<usize>, String>;

impl<'m> DeserializeSeed<'m> for Name<'_> {
    type Value = Found;

    fn deserialize<D: serde::Deserializer<'m>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'m> Visitor<'m> for Name<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Found, E> {
        let at = self.0.find(name);
        Ok(if at.is_none() && self.0.closed { Err(name.to_owned()) } else { Ok(at) })
    }
}
