//! The owner of a shard as a pure protocol: takeover, replay, live folding, ticks, cuts, tally exchange, re-sends.
//! It says what it wants done ([`Effect`]); a shell does it and tells it what came of it ([`Input`]), `Unknown` included.
