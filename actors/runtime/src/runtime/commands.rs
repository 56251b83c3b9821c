//! Commands: appended, then answered by what the fold decided at their position.

use prost::Message as _;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::output::Outcome;
use souk_model::record;
use souk_proto::journal::v1 as journal;
use tokio::time::Instant;

use super::Runtime;
use crate::far;
use crate::ports::{Appended, NewRecord};
use crate::read::said_here;
use crate::shard::Word;
use crate::{Error, Position};

pub(super) async fn command(
    runtime: &Runtime,
    command: journal::Command,
    deadline: Option<Instant>,
) -> Result<(Outcome, Position), Error> {
    let world = runtime.world();
    if *world.hub.draining.borrow() {
        return Err(Error::Draining);
    }
    record::validate_command(&command).map_err(Error::Refused)?;
    let for_product = command.action.as_ref().is_some_and(record::is_for_product);
    let home = if for_product { Journal::Products } else { Journal::Users };
    let key = ActorKey::new(&command.shop, &command.actor_id);
    let cell = world.home(home, &key);
    let body = Some(journal::record::Body::Command(command));
    let bytes: bytes::Bytes = journal::Record { body }.encode_to_vec().into();
    let _room = runtime.room_for(bytes.len())?;
    let waiting = cell.desk.wait();
    if !cell.answers_here() {
        far::man(world, cell, deadline).await?;
    }
    let became = world.ports.journal.append(vec![NewRecord { shard: cell.id, bytes }]).await;
    let offset = match became.first() {
        Some(Appended::At { offset, .. }) => *offset,
        Some(Appended::Refused(refused)) => return Err((*refused).into()),
        Some(Appended::Unknown) | None => return Err(Error::OutcomeUnknown),
    };
    let word = match said_here(cell, &waiting, offset, deadline).await? {
        true => waiting.word(offset),
        false => far::words(world, cell, vec![offset], deadline).await?.pop().flatten(),
    };
    match word {
        Some(Word::Decided(outcome)) => Ok((outcome, Position::at(cell.id, offset))),
        _ => Err(Error::OutcomeUnknown),
    }
}
