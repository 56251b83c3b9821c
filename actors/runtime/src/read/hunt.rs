//! The hunt for a shard's owner: here, or on the node its manifest names, until a deadline.

use std::sync::Arc;

use tokio::time::Instant;

use crate::Error;
use crate::limits::HUNT_PAUSE;
use crate::shard::{Cell, Place, World};

pub(crate) struct Hunt<'a> {
    world: &'a World,
    cell: &'a Arc<Cell>,
    deadline: Option<Instant>,
}

impl<'a> Hunt<'a> {
    pub(crate) fn new(world: &'a World, cell: &'a Arc<Cell>, deadline: Option<Instant>) -> Self {
        Self { world, cell, deadline }
    }

    /// The node that carries it; none: this one does.
    pub(crate) async fn place(&mut self) -> Result<Option<Place>, Error> {
        loop {
            if self.cell.answers_here() {
                return Ok(None);
            }
            if let Some(place) = self.world.locate(self.cell).await {
                return Ok(Some(place));
            }
            self.missed().await?;
        }
    }

    /// It is not where it was looked for: rests a little.
    pub(crate) async fn missed(&mut self) -> Result<(), Error> {
        let moving = Error::ShardMoving { shard: self.cell.id };
        let again = Instant::now() + HUNT_PAUSE;
        if self.deadline.is_some_and(|deadline| deadline <= again) {
            return Err(moving);
        }
        tokio::time::sleep_until(again).await;
        Ok(())
    }
}
