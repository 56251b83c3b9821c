//! Lines of text: each event as proto3 JSON of souk.v1.Event, as a node prints and reads it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::drive::Sink;
use super::traffic::{Made, What};
use crate::client::schema;

#[derive(Debug)]
pub(super) struct Ndjson<W> {
    out: W,
    event: MessageDescriptor,
}

impl<W: Write> Ndjson<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, event: schema::event() }
    }

    fn line(&mut self, what: What) -> io::Result<()> {
        match what {
            What::Broken(line) => self.out.write_all(line.as_bytes())?,
            What::Event(event) => {
                let event = DynamicMessage::decode(self.event.clone(), event.encode_to_vec().as_slice());
                let event = event.map_err(io::Error::other)?;
                serde_json::to_writer(&mut self.out, &event)?;
            }
        }
        self.out.write_all(b"\n")
    }
}

/// Standard output, or a file that is made anew.
pub(super) fn to(path: Option<&Path>) -> io::Result<Ndjson<Box<dyn Write>>> {
    Ok(Ndjson::new(match path {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    }))
}

impl<W: Write> Sink for Ndjson<W> {
    type Error = io::Error;

    async fn take(&mut self, batch: Vec<Made>) -> io::Result<()> {
        for made in batch {
            self.line(made.what)?;
        }
        // A reader behind a pipe gets what is due when it is due.
        self.out.flush()
    }
}
