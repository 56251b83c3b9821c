//! Load on a Souk server from outside. It knows what callers know, the protos and the process's command line, and checks what it is
//! answered against an oracle of its own.
//!
//! [`traffic`] makes events, [`souk`] carries them to the server and kills it, [`oracle`] and [`watcher`] say what is right,
//! [`fire`] keeps sending and asking while servers die, [`measure`] says how fast it was and what it cost, and [`command`] puts them
//! together: one file per promise.

pub mod command;
pub mod fire;
pub mod limits;
pub mod measure;
pub mod oracle;
pub mod souk;
pub mod traffic;
pub mod watcher;
