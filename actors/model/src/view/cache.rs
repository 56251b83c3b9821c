//! What stands in a cache, under names others chose: commands that say the whole value, so that the newest alone matters.
//!
//! A name whose holes do not tell windows apart shows the newest of them. Names of other shops than the default one begin with the shop.

use super::Order;
use super::datum::{Datum, currencies, datum, is_money};
use super::json;
use super::text::{self, Named};
use crate::metric::{Dimension, Metric};
use crate::money::Currency;
use crate::record::DEFAULT_SHOP;
use crate::series::{AnswerRow, PublishedRow};
use crate::settings::view::{RedisTarget, RedisView, Template};
use crate::tally::split_head;
use crate::time::Millis;

/// Rows a list keeps.
pub const LIST_NEWEST: usize = 1_000;

/// One value to be written, unless what is there is as new.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Name of the hash, set, string, list or channel.
    pub name: String,
    pub what: What,
    pub order: Order,
    pub ttl: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// One field of a hash.
    Field {
        field: String,
        value: String,
    },
    /// A hash replaced whole.
    Hash {
        fields: Vec<(String, String)>,
    },
    /// A sorted set replaced whole.
    SortedSet {
        members: Vec<(String, f64)>,
    },
    Text {
        value: String,
    },
    /// A row put before the others of a list, which keeps the newest [`LIST_NEWEST`]. `of` names the row.
    Push {
        of: String,
        row: String,
    },
    /// A row told to whoever listens now.
    Publish {
        row: String,
    },
    /// An answer, whole: see [`KeptAnswer`](super::KeptAnswer).
    Answer {
        bytes: Vec<u8>,
    },
}

/// How rows of the series become commands.
#[derive(Debug, PartialEq)]
pub struct CacheShape {
    view: RedisView,
    own_currency: Currency,
}

impl CacheShape {
    pub(super) fn of(view: &RedisView, own_currency: Currency) -> Self {
        Self { view: view.clone(), own_currency }
    }

    /// Dimensions of the key sets the view shows; none: all of them.
    pub(super) fn dimensions(&self) -> Option<Vec<&Dimension>> {
        let names: Vec<&Template> = match &self.view.target {
            RedisTarget::Field { hash, field, .. } => vec![hash, field],
            RedisTarget::Hash { hash } => vec![hash],
            RedisTarget::SortedSet { zset, .. } => vec![zset],
            RedisTarget::Text { string, .. } => vec![string],
            RedisTarget::List => self.view.list.iter().collect(),
            RedisTarget::Publish { channel } => vec![channel],
        };
        let mut dimensions: Vec<&Dimension> = names.into_iter().flat_map(text::dimensions).collect();
        if let RedisTarget::SortedSet { member, .. } = &self.view.target {
            dimensions.push(member);
        }
        // What is told whole names its key itself.
        let tells_all = matches!(self.view.target, RedisTarget::List | RedisTarget::Publish { .. });
        (!(tells_all && dimensions.is_empty())).then_some(dimensions)
    }

    /// Whether it stands anywhere after it was written, or is told to who listens and gone.
    pub fn is_kept(&self) -> bool {
        !matches!(self.view.target, RedisTarget::Publish { .. })
    }

    /// Whether each row stands there by itself, so that its answer is worth keeping beside it: neither ranked nor only told of.
    pub(super) fn is_of_one_row(&self) -> bool {
        matches!(
            self.view.target,
            RedisTarget::Field { .. } | RedisTarget::Hash { .. } | RedisTarget::Text { .. }
        )
    }

    /// How long its values stay; none: for good.
    pub fn ttl(&self) -> Option<Millis> {
        self.view.ttl
    }

    /// What to write for one row.
    pub fn commands(&self, metric: &Metric, published: &PublishedRow) -> Vec<Command> {
        let PublishedRow { row, revision, .. } = published;
        let Some((shop, _, key_set)) = split_head(&row.key) else { return Vec::new() };
        let named = Named { metric, key_set, key: &row.key, window: row.window, range: row.range };
        let order = Order::of(row.range, *revision);
        let json = || json::row(named, shop, row, *revision, self.own_currency);
        let command = |name: &Template, what| Command {
            name: of_shop(shop, named.fill(name)),
            what,
            order,
            ttl: self.view.ttl,
        };
        let target = match &self.view.target {
            RedisTarget::Field { hash, field, value } => {
                let (field, value) = (named.fill(field), self.text(row, *value));
                Some(command(hash, What::Field { field, value }))
            }
            RedisTarget::Hash { hash } => {
                Some(command(hash, What::Hash { fields: self.fields(metric, row) }))
            }
            RedisTarget::Text { string, value } => {
                Some(command(string, What::Text { value: self.text(row, *value) }))
            }
            RedisTarget::Publish { channel } => Some(command(channel, What::Publish { row: json() })),
            RedisTarget::List | RedisTarget::SortedSet { .. } => None,
        };
        let list = self.view.list.as_ref();
        let list = list.map(|list| command(list, What::Push { of: row.key.clone(), row: json() }));
        target.into_iter().chain(list).collect()
    }

    /// What to write for the first rows of one window. They are those of one shop.
    pub fn replaced(&self, metric: &Metric, rows: &[AnswerRow], revision: u64) -> Option<Command> {
        let RedisTarget::SortedSet { zset, member, value, .. } = &self.view.target else { return None };
        let first = rows.first()?;
        let named = |row: &AnswerRow| {
            let (_, _, key_set) = split_head(&row.key)?;
            Some((row.window, row.range, key_set))
        };
        let (window, range, key_set) = named(first)?;
        let (shop, ..) = split_head(&first.key)?;
        let of = |key| Named { metric, key_set, key, window, range };
        let members = rows.iter().filter_map(|row| {
            let score = match datum(&row.values.get(*value)?.figure, self.own_currency) {
                Datum::Integer(score) => score as f64,
                Datum::Double(score) => score,
                Datum::Null | Datum::Absent | Datum::Text(_) | Datum::Time(_) => return None,
            };
            Some((of(&row.key).value(member)?.into_owned(), score))
        });
        let what = What::SortedSet { members: members.collect() };
        let name = of_shop(shop, of(&first.key).fill(zset));
        Some(Command { name, what, order: Order::of(range, revision), ttl: self.view.ttl })
    }

    /// A value as text; nothing at all is 0, of money what there is in the shop's own currency.
    fn text(&self, row: &AnswerRow, measure: usize) -> String {
        let figure = row.values.get(measure).map(|measured| &measured.figure);
        figure.and_then(|figure| shown(datum(figure, self.own_currency))).unwrap_or_else(|| "0".to_owned())
    }

    /// Every measure by its name; amounts in other currencies than the shop's own under `name:CODE`.
    fn fields(&self, metric: &Metric, row: &AnswerRow) -> Vec<(String, String)> {
        let mut fields = Vec::with_capacity(metric.measures.len());
        for (measure, measured) in metric.measures.iter().zip(&row.values) {
            let own = shown(datum(&measured.figure, self.own_currency));
            fields.extend(own.map(|value| (measure.name.clone(), value)));
            if is_money(measure) {
                for currency in currencies(&measured.figure).filter(|other| *other != self.own_currency) {
                    let value = shown(datum(&measured.figure, currency));
                    fields
                        .extend(value.map(|value| (format!("{}:{}", measure.name, currency.code()), value)));
                }
            }
        }
        fields
    }
}

fn shown(datum: Datum) -> Option<String> {
    match datum {
        Datum::Null | Datum::Absent => None,
        Datum::Text(text) => Some(text),
        Datum::Integer(value) | Datum::Time(value) => Some(value.to_string()),
        Datum::Double(value) => Some(value.to_string()),
    }
}

fn of_shop(shop: &str, name: String) -> String {
    if shop == DEFAULT_SHOP { name } else { format!("{shop}:{name}") }
}
