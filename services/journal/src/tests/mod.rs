//! The log on a simulated disk.

mod crashes;
mod damage;
mod disk;
mod full;
mod rng;
mod world;
