//! What can keep a journal from opening, or end one that is open.

use std::io;
use std::path::PathBuf;

use crate::frame::Flaw;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },

    #[error("another process has the journal in {} open", .dir.display())]
    InUse { dir: PathBuf },

    #[error("{option}: {why}")]
    Option { option: &'static str, why: String },

    /// The directory was made with another value of something that is fixed for its life.
    #[error(
        "the journal in {} was made with {what} {has}, but {asked} was asked for. This cannot be changed in place: \
         ask for {has}, or start with a new data directory", .dir.display()
    )]
    Differs { dir: PathBuf, what: &'static str, has: String, asked: String },

    #[error("the journal's meta file {} cannot be used: {why}. {WAY_OUT}", .file.display())]
    Meta { file: PathBuf, why: &'static str },

    /// Acknowledged records are damaged.
    #[error(
        "the journal is damaged: {} at byte {at}: {flaw}. What stands there had been acknowledged, so it was not cut off \
         and nothing was changed. {WAY_OUT}", .file.display()
    )]
    Damaged { file: PathBuf, at: u64, flaw: Flaw },

    /// Acknowledged records are gone.
    #[error("the journal is not whole: frames {from} to {to} should be in {}, and are not. {WAY_OUT}", .dir.display())]
    Missing { dir: PathBuf, from: u64, to: u64 },
}

/// The two ways out, in the words of the handbook.
const WAY_OUT: &str = "Either put the file back from a copy of the data directory (take all files of one copy: they belong \
                       together), or move the data directory away and start with a new one: carts, orders and counts since the \
                       copy, or all of them, are then gone";
