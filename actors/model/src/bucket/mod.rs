//! Buckets: where a shard keeps its actors, hot or encoded, and what a cut takes from them. DESIGN section 5.
