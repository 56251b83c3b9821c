//! Questions to series.

use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::query::Span as Sent;

use super::{Unreadable, unreadable};
use crate::metric::{TimeRange, Window};
use crate::money::Currency;
use crate::series::{Moment, Query, Span, Top};
use crate::settings::parse_window;

impl Query {
    pub fn to_peer(&self) -> internal::Query {
        internal::Query {
            shop: self.shop.clone(),
            metric: self.metric.clone(),
            key_set: u32::from(self.key_set),
            window: self.window.map(|window| window.to_string()).unwrap_or_default(),
            key: self.key.clone().map(|values| internal::Values { values }),
            given: self.given.iter().map(|(place, value)| (*place as u32, value.clone())).collect(),
            span: Some(match self.span {
                Span::Newest => Sent::Last(0),
                Span::Last(n) => Sent::Last(n as u64),
                Span::Starting(range) => Sent::Starting(range.to_peer()),
            }),
            closed_only: self.closed_only,
            top: self.top.map(|top| internal::Top {
                measure: top.measure as u32,
                n: top.n as u64,
                ascending: top.ascending,
                currency: top.currency.code().to_owned(),
            }),
        }
    }

    pub fn from_peer(query: internal::Query) -> Result<Self, Unreadable> {
        let span = match query.span {
            Some(Sent::Last(0)) => Span::Newest,
            Some(Sent::Last(n)) => Span::Last(n as usize),
            Some(Sent::Starting(range)) => Span::Starting(TimeRange::from_peer(&range)),
            None => return Err(unreadable("a query of no span")),
        };
        Ok(Self {
            shop: query.shop,
            metric: query.metric,
            key_set: u16::try_from(query.key_set).map_err(|_| unreadable("a key set out of range"))?,
            window: if query.window.is_empty() { None } else { Some(window(&query.window)?) },
            key: query.key.map(|key| key.values),
            given: query.given.into_iter().map(|(place, value)| (place as usize, value)).collect(),
            span,
            closed_only: query.closed_only,
            top: query.top.map(top).transpose()?,
        })
    }
}

fn top(top: internal::Top) -> Result<Top, Unreadable> {
    Ok(Top {
        measure: top.measure as usize,
        n: top.n as usize,
        ascending: top.ascending,
        currency: Currency::parse(&top.currency).ok_or_else(|| unreadable("no currency"))?,
    })
}

pub(super) fn window(text: &str) -> Result<Window, Unreadable> {
    parse_window(text).ok_or_else(|| unreadable("no window"))
}

impl TimeRange {
    pub(super) fn to_peer(self) -> internal::Range {
        internal::Range { start_ms: self.start, end_ms: self.end }
    }

    pub(super) fn from_peer(range: &internal::Range) -> Self {
        Self { start: range.start_ms, end: range.end_ms }
    }
}

impl Moment {
    pub fn to_peer(&self) -> internal::Moment {
        internal::Moment { high_water_ms: self.high_water, newest_ms: self.newest }
    }

    pub fn from_peer(moment: &internal::Moment) -> Self {
        Self { high_water: moment.high_water_ms, newest: moment.newest_ms }
    }
}
