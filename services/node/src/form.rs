//! In which form events are written for others: as the API has them in JSON, or in a format of somebody else's.

use std::sync::Arc;

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use souk_formats::{Format, NAMES};
use souk_model::settings::nearest;
use souk_proto::v1;

use crate::client::schema;

/// The name of the form that is ours.
const OWN: &str = "souk";

#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// `souk.v1.Event` as proto3 JSON, as a node prints and reads it.
    Own(MessageDescriptor),
    Foreign(Arc<Format>),
}

impl Form {
    /// Reads `souk`, the name of a built-in format, or that of a TOML file that declares one.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        if name == OWN {
            return Ok(Self::own());
        }
        format(name).map(Self::Foreign).map_err(|why| format!("{why}; {OWN} is ours"))
    }

    pub(crate) fn own() -> Self {
        Self::Own(schema::event())
    }

    /// Whether it can tell the event.
    pub(crate) fn tells(&self, event: &v1::Event) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Foreign(format) => format.tells(event),
        }
    }

    /// Appends an event; false, and nothing, where the form cannot tell it.
    pub(crate) fn write(&self, event: &v1::Event, out: &mut Vec<u8>) -> anyhow::Result<bool> {
        match self {
            Self::Own(descriptor) => {
                let event = DynamicMessage::decode(descriptor.clone(), event.encode_to_vec().as_slice())?;
                serde_json::to_writer(out, &event)?;
                Ok(true)
            }
            Self::Foreign(format) => Ok(format.encode(event, out)),
        }
    }
}

/// A built-in format by its name, or one that a TOML file declares.
pub(crate) fn format(name: &str) -> Result<Arc<Format>, String> {
    if let Some(format) = Format::named(name) {
        return Ok(format);
    }
    if !name.ends_with(".toml") {
        let near = nearest(name, NAMES).map(|near| format!("; near: {near}")).unwrap_or_default();
        return Err(format!("there are {}, and any TOML file that declares one{near}", NAMES.join(", ")));
    }
    let text = std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?;
    Format::parse(name, &text).map(Arc::new).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("{name}: {}", lines.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_by_name_and_declared_in_files() {
        assert!(matches!(Form::parse("souk"), Ok(Form::Own(_))));
        assert!(matches!(Form::parse("cartpulse"), Ok(Form::Foreign(_))));
        let error = Form::parse("cartpuls").expect_err("none");
        assert!(error.contains("near: cartpulse") && error.contains("kartshoppe"), "{error}");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("theirs.toml");
        let path = path.to_str().expect("a path");
        assert!(Form::parse(path).expect_err("no file").contains("theirs.toml"));
        std::fs::write(path, "[kind]\nunsaid = \"trp\"\n").expect("written");
        assert!(Form::parse(path).expect_err("wrong").contains("did you mean \"trip\""));
        std::fs::write(path, "[kind]\nunsaid = \"trip\"\n[fields]\ntrip_id = \"id\"\n").expect("written");
        let form = Form::parse(path).expect("a declaration");
        let trip = v1::Trip { trip_id: "t-1".to_owned(), ..v1::Trip::default() };
        let event = v1::Event { kind: Some(v1::event::Kind::Trip(trip)), ..v1::Event::default() };
        let mut out = Vec::new();
        assert!(form.tells(&event) && form.write(&event, &mut out).expect("written"));
        assert_eq!(out, br#"{"id":"t-1"}"#);
        assert!(!form.tells(&v1::Event::default()));
    }
}
