//! Buckets: where a shard keeps its actors, hot or encoded, and what a cut takes from them. DESIGN section 5.
//!
//! One [`Actors`] serves every kind of row a shard owns: users, products, tally rows, series rows.
