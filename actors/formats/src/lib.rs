//! Other people's JSON: a message to an event, and back.
//!
//! A [`Format`] is a declaration: which path of a message is which field of an event, which value of which path says of what kind it is,
//! in which units times, distances and amounts stand. Five are built in (`builtin/*.toml`, one for each design whose topics are to be read
//! as they are); anybody else's is declared in the same words. One engine reads and writes all of them.
//!
//! A message's way: `scan` goes over the bytes once and notes where the declared paths lie; `draft` reads each as what it must be;
//! `build` makes the event of its kind. Back: `parts` takes an event apart, `write` puts the parts where they are declared. Ranges and
//! charsets are not judged here: `souk_model::record` does that for every event, wherever it came from.
//!
//! Decoding is pure and total: every failure is a typed reason that names the path it is about. What a format makes of a message is part
//! of the fold of whoever folds such messages in place, so [`Format::identity`] tells two declarations apart.

mod build;
pub mod decimal;
mod declare;
mod draft;
mod field;
mod format;
mod kind;
pub mod limits;
mod parts;
mod scan;
#[cfg(test)]
mod tests;
pub mod time;
mod write;

pub use declare::Problem;
pub use format::{Format, NAMES};
