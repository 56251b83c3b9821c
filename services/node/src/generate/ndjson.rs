//! Lines of text: each event in the form asked for, as proto3 JSON of souk.v1.Event unless another one is.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::drive::Sink;
use super::traffic::{Made, What};
use crate::form::Form;

#[derive(Debug)]
pub(super) struct Ndjson<W> {
    out: W,
    form: Form,
    line: Vec<u8>,
}

impl<W: Write> Ndjson<W> {
    pub(super) fn new(out: W, form: Form) -> Self {
        Self { out, form, line: Vec::new() }
    }

    fn line(&mut self, what: What) -> io::Result<()> {
        self.line.clear();
        match what {
            What::Broken(line) => self.line.extend_from_slice(line.as_bytes()),
            What::Event(event) => {
                if !self.form.write(&event, &mut self.line).map_err(io::Error::other)? {
                    return Ok(());
                }
            }
        }
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }
}

/// Standard output, or a file that is made anew.
pub(super) fn to(path: Option<&Path>, form: Form) -> io::Result<Ndjson<Box<dyn Write>>> {
    let out: Box<dyn Write> = match path {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    Ok(Ndjson::new(out, form))
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
