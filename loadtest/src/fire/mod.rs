//! Callers that go on while servers die: lanes of shoppers whose order is kept ([`conductor`], [`lane`]), a crowd at a fixed rate
//! ([`crowd`]), a pulse per shard that times when it answers ([`pulse`]), readers ([`reader`]), watchers ([`watchers`]); and what is
//! compared when all is at rest ([`rest`]).

pub mod conductor;
pub mod crowd;
pub mod lane;
pub mod pulse;
pub mod reader;
pub mod rest;
pub mod samples;
pub mod watchers;
