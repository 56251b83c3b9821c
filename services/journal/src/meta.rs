//! The meta file: what a journal's directory is, for its life, and how often it has been opened. A few lines of text that a person can
//! read, replaced whole by a rename.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::PathBuf;

use souk_model::journal::Partitions;

use crate::disk::{Disk, read_most, write_all};
use crate::layout::Layout;
use crate::limits::META_BYTES;
use crate::options::{ClockKind, Options};
use crate::{Error, limits};

pub(crate) const FILE: &str = "meta";
pub(crate) const NEW_FILE: &str = "meta.new";
const FORMAT: u64 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) topic_id: u64,
    pub(crate) layout: Layout,
    pub(crate) clock_kind: ClockKind,
    /// How often the directory has been opened.
    pub(crate) incarnation: u64,
    /// Every frame up to this one was synced when the file was written.
    pub(crate) synced: u64,
}

impl Meta {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            topic_id: options.new_topic_id,
            layout: Layout(options.partitions),
            clock_kind: options.clock_kind,
            incarnation: 0,
            synced: 0,
        }
    }

    /// The directory's meta; none if it has none.
    pub(crate) fn load(disk: &dyn Disk, options: &Options) -> Result<Option<Self>, Error> {
        if !disk.list().map_err(|source| failed(options, source))?.iter().any(|name| name == FILE) {
            return Ok(None);
        }
        let file = disk.open(FILE).map_err(|source| failed(options, source))?;
        let bytes = read_most(&*file, 0, META_BYTES).map_err(|source| failed(options, source))?;
        let meta = Self::parse(&bytes).map_err(|why| Error::Meta { file: path(options), why })?;
        meta.check(options)?;
        Ok(Some(meta))
    }

    /// Replaces the directory's meta, durably.
    pub(crate) fn store(&self, disk: &dyn Disk) -> std::io::Result<()> {
        let file = disk.create(NEW_FILE)?;
        let text = self.text();
        write_all(&*file, &mut [IoSlice::new(text.as_bytes())], 0)?;
        file.sync()?;
        disk.rename(NEW_FILE, FILE)?;
        disk.sync_dir()
    }

    fn text(&self) -> String {
        let Partitions { users, products } = self.layout.0;
        let lines = format!(
            "format = {FORMAT}\ntopic = {}\nusers = {users}\nproducts = {products}\nclock = {}\nincarnation = {}\nsynced = {}\n",
            self.topic_id,
            self.clock_kind.name(),
            self.incarnation,
            self.synced
        );
        let check = crc32c::crc32c(lines.as_bytes());
        format!("{lines}check = {check}\n")
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
        let (lines, check) = text.rsplit_once("check = ").ok_or("its last line is missing")?;
        if check.trim_end().parse() != Ok(crc32c::crc32c(lines.as_bytes())) {
            return Err("its checksum is wrong");
        }
        let values: BTreeMap<_, _> = lines.lines().filter_map(|line| line.split_once(" = ")).collect();
        let number =
            |key| values.get(key).and_then(|value| value.parse::<u64>().ok()).ok_or("a line is missing");
        if number("format")? != FORMAT {
            return Err("it was written by another version of the journal's format");
        }
        let outside = "its partitions are out of bounds";
        let partitions = |key| {
            let partitions = u16::try_from(number(key)?).ok();
            partitions.filter(|n| (1..=limits::PARTITIONS).contains(n)).ok_or(outside)
        };
        let clock_kind = match values.get("clock") {
            Some(&"live") => ClockKind::Live,
            Some(&"history") => ClockKind::History,
            _ => return Err("its clock is neither live nor history"),
        };
        let partitions = Partitions { users: partitions("users")?, products: partitions("products")? };
        Ok(Self {
            topic_id: number("topic")?,
            layout: Layout(partitions),
            clock_kind,
            incarnation: number("incarnation")?,
            synced: number("synced")?,
        })
    }

    /// Whether the directory is what was asked for.
    fn check(&self, options: &Options) -> Result<(), Error> {
        let differs = |what, has: String, asked: String| {
            Err(Error::Differs { dir: options.dir.clone(), what, has, asked })
        };
        let (has, asked) = (self.layout.0, options.partitions);
        if has.users != asked.users {
            return differs("users partitions", has.users.to_string(), asked.users.to_string());
        }
        if has.products != asked.products {
            return differs("products partitions", has.products.to_string(), asked.products.to_string());
        }
        if self.clock_kind != options.clock_kind {
            return differs("clock", self.clock_kind.name().to_owned(), options.clock_kind.name().to_owned());
        }
        Ok(())
    }
}

fn path(options: &Options) -> PathBuf {
    options.dir.join(FILE)
}

fn failed(options: &Options, source: std::io::Error) -> Error {
    Error::Io { doing: "read", path: path(options), source }
}
