//! Answers as readers see them: rows, what they are worth, corrections, and the catalogue of metrics.

mod answer;
mod correction;
mod info;
mod metric;
mod row;
#[cfg(test)]
mod tests;

pub use answer::Shown;
pub use info::shard_names;
pub(crate) use row::amounts;
