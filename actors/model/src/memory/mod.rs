//! What an actor remembers of what it was already told, so that a repeat changes nothing. Users and products share it.

pub mod dedup;
pub mod requests;

#[cfg(test)]
mod tests;
