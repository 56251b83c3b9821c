//! The shard step: one record (or one slice of due timers) at a time, in the journal's order. One file per kind of record.
