//! Series: the join of the newest tally of each source for one (metric, key). What queries see.
//!
//! A join beside the fold: no decision of the fold reads one, digests leave them out, and a cut of a products shard holds them together
//! with the vector of positions they include. Loss, repeats, reordering and zombies of the sources are harmless here.

mod answering;
mod book;
mod changes;
mod corrections;
mod gather;
mod header;
mod join;
mod published;
mod query;
mod rank;
mod render;
mod row;
mod source;
#[cfg(test)]
mod tests;
mod windows;

pub use book::SeriesBook;
pub use changes::{Change, Listener};
pub use corrections::Correction;
pub use gather::gather;
pub use join::{Figure, Measured};
pub use published::{Again, PublishedRow};
pub use query::{Answer, AnswerInfo, AnswerRow, Query, QueryError, Span, Top};
pub(crate) use render::amounts;
pub use render::{Shown, shard_names};
pub use row::SeriesRow;
pub use source::Source;
pub use windows::Moment;
