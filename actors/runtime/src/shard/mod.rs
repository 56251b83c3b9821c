//! One ractor actor per partition this node is to carry: it carries the shard's owner, does what the owner wants done, and lets others read between slices.

mod actor;
mod cell;
mod desk;
mod effects;
mod fresh;
mod handover;
mod message;
mod placing;
mod supervisor;
mod tidy;
mod underway;
mod whereabouts;
mod world;

pub(crate) use cell::{Cell, Mail, NotServing};
pub(crate) use desk::{Waiting, Word};
pub(crate) use handover::hand_over;
pub(crate) use message::Message;
pub(crate) use placing::follow_placement;
pub(crate) use supervisor::{Start, Supervisor};
pub(crate) use tidy::tidy;
pub(crate) use underway::Batch;
pub(crate) use whereabouts::Place;
pub(crate) use world::{Interest, World};
