//! Answers kept whole in a cache, for those who ask while a shard has no owner.
//!
//! What stands under names that others chose says less than an answer does: a mean is rounded, what was sketched or is still open is not
//! told, nor how far the sources were heard. So beside a row that stands there by itself, its owner keeps what it answers when asked for
//! the row's newest window. Who finds it takes it whole or not at all.
//!
//! It is worth more than a cut if it includes all that the cut includes, and more: of the same journals, under the same settings.

use prost::Message as _;
use souk_proto::internal::v1 as internal;

use super::catalogue::shown;
use super::{CacheShape, Command, Entry, Order, Shape, What};
use crate::limits::ANSWER_KEPT;
use crate::metric::{EARLIEST, Window};
use crate::series::{Answer, AnswerRow, Query, SeriesBook, Span};
use crate::settings::Settings;
use crate::tally::SeriesKey;
use crate::time::Millis;

#[cfg(test)]
mod tests;

/// What two answers must have in common for their positions to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Of the shard's own topic.
    pub topic_id: u64,
    pub settings_hash: u64,
}

/// What an owner answered when it was asked for the newest window of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnswer {
    answer: Answer,
    ground: Ground,
    given: Millis,
}

impl KeptAnswer {
    /// What the owner of `series` answers when it is asked for the newest window of a row, if that is the one that was published, and the
    /// entry's rows stand by themselves in a cache. Older windows of the row say nothing of its newest.
    pub fn of(
        series: &SeriesBook,
        entry: &Entry,
        published: &AnswerRow,
        ground: Ground,
        given: Millis,
    ) -> Option<Self> {
        let Shape::Cache(shape) = &entry.shape else { return None };
        if !shape.is_of_one_row() {
            return None;
        }
        let SeriesKey { shop, metric, key_set, values } = SeriesKey::parse(&published.key)?;
        let query = Query {
            shop,
            metric,
            key_set,
            window: Some(entry.window),
            key: Some(values),
            given: Vec::new(),
            span: Span::Newest,
            closed_only: false,
            top: None,
        };
        let answer = series.query(&query).ok()?;
        let is_newest = answer.rows.first().is_some_and(|row| row.range == published.range);
        is_newest.then_some(Self { answer, ground, given })
    }

    /// What to write for it, where the view's own values stay so long.
    pub fn command(&self, ttl: Option<Millis>) -> Command {
        Command {
            name: self.name(),
            what: What::Answer { bytes: self.encode() },
            // Whichever window it is of: what includes most is the newest.
            order: Order { start: EARLIEST, revision: self.answer.info.revision },
            ttl: Some(ttl.map_or(ANSWER_KEPT, |ttl| ttl.min(ANSWER_KEPT))),
        }
    }

    /// The answer and when it was given, if it answers what is kept under `name` and says more than `cut` does.
    pub fn instead_of(self, cut: &Answer) -> Option<(Answer, Millis)> {
        self.answer.info.includes_more_than(&cut.info).then_some((self.answer, self.given))
    }

    /// Reads what was found under a name; none if it is no answer, or not one to this question, or of another ground.
    pub fn found(name: &str, bytes: &[u8], ground: Ground) -> Option<Self> {
        let kept = Self::decode(bytes)?;
        (kept.ground == ground && kept.answer.rows.len() == 1 && kept.name() == name).then_some(kept)
    }

    fn name(&self) -> String {
        self.answer.rows.first().map(|row| name_of(&row.key, row.window)).unwrap_or_default()
    }

    fn encode(&self) -> Vec<u8> {
        let Self { answer, ground, given } = self;
        let kept = internal::KeptAnswer {
            answer: Some(answer.to_peer()),
            topic_id: ground.topic_id,
            settings_hash: ground.settings_hash,
            given_ms: *given,
        };
        kept.encode_to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let internal::KeptAnswer { answer, topic_id, settings_hash, given_ms } =
            internal::KeptAnswer::decode(bytes).ok()?;
        let answer = Answer::from_peer(answer?).ok()?;
        Some(Self { answer, ground: Ground { topic_id, settings_hash }, given: given_ms })
    }
}

/// Where the answer to a query is kept, if it is one that is: for the newest window of one row that stands by itself in a cache.
pub fn kept_under(settings: &Settings, query: &Query) -> Option<String> {
    let place = settings.metrics.iter().position(|metric| metric.name == query.metric)?;
    let (metric, view) = (&settings.metrics[place], settings.views[place].redis.as_ref()?);
    let window = query.window.or_else(|| metric.windows.first().copied())?;
    let is_newest = window == Window::Total || matches!(query.span, Span::Newest | Span::Last(1));
    if window != view.window || !is_newest || query.closed_only || query.top.is_some() {
        return None;
    }
    let shape = CacheShape::of(view, settings.fold.currency);
    let is_shown = shape.is_of_one_row() && shown(metric, shape.dimensions()).contains(&query.key_set);
    let key = query.key.as_ref().filter(|_| is_shown)?;
    Some(name_of(&query.text_of(key), window))
}

fn name_of(key: &str, window: Window) -> String {
    format!("souk:answer:{key}:{window}")
}
