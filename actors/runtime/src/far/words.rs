//! The fold's words on records this node appended to shards that others carry. A desk there is manned before the append, so that no word is
//! missed; it stays manned for a while, so that most appends need not ask.

use std::sync::Arc;
use std::time::Duration;

use souk_model::output::Outcome;
use souk_model::verdict::{Reason, Refusal, Verdict};
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use souk_proto::internal::v1::word::Word as Said;
use tokio::time::Instant;

use super::{Failed, ask, mixed_up};
use crate::Error;
use crate::limits::{ASK_WAIT, DESK_MARGIN};
use crate::read::Hunt;
use crate::shard::{Cell, Place, Word, World};

/// Has the shard's owner keep its words from now on, wherever it is.
pub(crate) async fn man(world: &World, cell: &Arc<Cell>, deadline: Option<Instant>) -> Result<(), Error> {
    let mut hunt = Hunt::new(world, cell, deadline);
    while let Some(place) = hunt.place().await? {
        if cell.manned.lock().as_ref().is_some_and(|(at, until)| *at == place && *until > Instant::now()) {
            return Ok(());
        }
        match man_at(world, cell, &place, deadline).await {
            Ok(lease) => {
                let until = Instant::now() + lease.saturating_sub(DESK_MARGIN);
                *cell.manned.lock() = Some((place, until));
                return Ok(());
            }
            Err(failed) => match failed.error(cell.id) {
                None => hunt.missed().await?,
                Some(error) => return Err(error),
            },
        }
    }
    Ok(())
}

async fn man_at(
    world: &World,
    cell: &Arc<Cell>,
    place: &Place,
    deadline: Option<Instant>,
) -> Result<Duration, Failed> {
    let question = Question::Desks(internal::ManDesks { shards: vec![cell.id.to_string()] });
    match ask(world, &[(cell, place)], question, deadline).await? {
        Answer::Desks(manned) => Ok(Duration::from_millis(u64::from(manned.lease_ms))),
        _ => Err(mixed_up()),
    }
}

/// The words on these records, from whoever carries the shard once it has folded them. A word that was not kept is none.
pub(crate) async fn words(
    world: &World,
    cell: &Arc<Cell>,
    offsets: Vec<u64>,
    deadline: Option<Instant>,
) -> Result<Vec<Option<Word>>, Error> {
    let deadline = deadline.unwrap_or_else(|| Instant::now() + ASK_WAIT);
    let mut hunt = Hunt::new(world, cell, Some(deadline));
    while let Some(place) = hunt.place().await? {
        let question =
            Question::Words(internal::ReadWords { shard: cell.id.to_string(), offsets: offsets.clone() });
        match ask(world, &[(cell, &place)], question, Some(deadline)).await {
            Ok(Answer::Words(words)) => return Ok(words.words.into_iter().map(from_peer).collect()),
            Ok(_) => return Err(Error::OutcomeUnknown),
            Err(failed) => match failed.error(cell.id) {
                None => hunt.missed().await?,
                Some(error) => return Err(error),
            },
        }
    }
    // It came over to this node after the append: its owner replays, and says nothing twice.
    Ok(vec![None; offsets.len()])
}

pub(super) fn to_peer(word: Option<Word>) -> internal::Word {
    let refused = |refusal: Refusal| internal::Refused {
        reason: refusal.reason.into(),
        field: refusal.field.into_owned(),
        message: refusal.message.into_owned(),
    };
    let word = word.map(|word| match word {
        Word::Verdict(Verdict::Counted) => Said::Counted(true),
        Word::Verdict(Verdict::Duplicate) => Said::Duplicate(true),
        Word::Verdict(Verdict::Late) => Said::Late(true),
        Word::Decided(Outcome::Done) => Said::Done(true),
        Word::Verdict(Verdict::Rejected(refusal)) => Said::Refused(refused(refusal)),
        Word::Decided(Outcome::Refused(refusal)) => Said::Denied(refused(refusal)),
    });
    internal::Word { word }
}

fn from_peer(word: internal::Word) -> Option<Word> {
    let refusal = |refused: internal::Refused| {
        let reason = Reason::try_from(refused.reason).unwrap_or(Reason::Unspecified);
        Refusal::new(reason, refused.field, refused.message)
    };
    Some(match word.word? {
        Said::Counted(_) => Word::Verdict(Verdict::Counted),
        Said::Duplicate(_) => Word::Verdict(Verdict::Duplicate),
        Said::Late(_) => Word::Verdict(Verdict::Late),
        Said::Done(_) => Word::Decided(Outcome::Done),
        Said::Refused(refused) => Word::Verdict(Verdict::Rejected(refusal(refused))),
        Said::Denied(refused) => Word::Decided(Outcome::Refused(refusal(refused))),
    })
}
