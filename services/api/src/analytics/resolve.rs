//! From a request's words to a query the series understand: the metric, its key set, its window, its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use souk_model::metric::{Dimension, Metric, TimeRange, Window};
use souk_model::money::Currency;
use souk_model::series::{Query, Span, Top};
use souk_model::settings::{Settings, parse_window};
use souk_model::time::{Millis, from_timestamp};
use souk_model::verdict::Reason;
use souk_proto::v1;
use souk_proto::v1::query_metric_request::Span as AskedSpan;
use souk_runtime::Error;
use souk_runtime::error::Undeclared;

use crate::error::Checks;
use crate::limits::{MOST_WINDOWS, TOP, TOP_MOST};
use crate::status::refused_of;
use crate::{ApiError, names};

/// A query and the settings it was resolved by.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    settings: Arc<Settings>,
    /// Place of the metric in the settings.
    place: usize,
    pub query: Query,
}

impl Asked {
    /// Resolves what a request asks for; its page and freshness are its caller's.
    pub(super) fn of(
        request: &v1::QueryMetricRequest,
        shop: &str,
        settings: Arc<Settings>,
    ) -> Result<Self, ApiError> {
        let name = names::metric("name", &request.name)?;
        let place = place_of(&settings, name)?;
        let metric = &settings.metrics[place];
        let mut checks = Checks::default();
        let window = checks.take(window(metric, &request.window));
        let keys = checks.take(keys(metric, &request.r#where, &request.group_by));
        let span = checks.take(span(request.span.as_ref()));
        let top = checks.take(request.top.as_ref().map(|asked| top(metric, asked, &settings)).transpose());
        checks.done()?;
        let Keys { key_set, key, given } = keys.unwrap_or_default();
        let query = Query {
            shop: shop.to_owned(),
            metric: metric.name.clone(),
            key_set,
            window,
            key,
            given,
            span: span.unwrap_or(Span::Newest),
            closed_only: request.closed_only,
            top: top.flatten(),
        };
        Ok(Self { settings, place, query })
    }

    pub(super) fn metric(&self) -> &Metric {
        &self.settings.metrics[self.place]
    }
}

fn place_of(settings: &Settings, name: &str) -> Result<usize, ApiError> {
    settings.metrics.iter().position(|metric| metric.name == name).ok_or_else(|| unknown(settings, name))
}

/// The metric of this name, which stands for the path of a request too.
pub(super) fn metric<'a>(settings: &'a Settings, name: &str) -> Result<&'a Metric, ApiError> {
    settings.metric(name).ok_or_else(|| unknown(settings, name))
}

fn unknown(settings: &Settings, name: &str) -> ApiError {
    let near = settings.nearest_metric(name).map(str::to_owned).into_iter().collect();
    Error::MetricUnknown { name: name.to_owned(), near }.into()
}

/// Refused with its field, so that it can stand among others.
fn not_declared(metric: &Metric, what: Undeclared, declared: Vec<String>) -> ApiError {
    let error = Error::NotDeclared { metric: metric.name.clone(), what, declared };
    ApiError::Refused(Box::new(refused_of(error.into())))
}

fn window(metric: &Metric, text: &str) -> Result<Window, ApiError> {
    let asked = if text.is_empty() { metric.windows.first().copied() } else { parse_window(text) };
    asked.filter(|asked| metric.windows.contains(asked)).ok_or_else(|| {
        let declared = metric.windows.iter().map(ToString::to_string).collect();
        not_declared(metric, Undeclared::Window, declared)
    })
}

/// Which rows of a metric, by key.
#[derive(Debug, Default, PartialEq)]
struct Keys {
    key_set: u16,
    key: Option<Vec<String>>,
    given: Vec<(usize, String)>,
}

/// The key set whose dimensions are those given and those grouped by, in any order. With all of them given it is one key.
fn keys(metric: &Metric, given: &BTreeMap<String, String>, by: &[String]) -> Result<Keys, ApiError> {
    if given.is_empty() && by.is_empty() {
        let all = metric.key_sets.iter().position(Vec::is_empty).unwrap_or_default();
        let key = metric.key_sets.get(all).is_some_and(Vec::is_empty).then(Vec::new);
        return Ok(Keys { key_set: all as u16, key, given: Vec::new() });
    }
    let is_asked = |name: &str| given.contains_key(name) || by.iter().any(|asked| asked == name);
    let is_of = |set: &[Dimension], asked: &str| set.iter().any(|dimension| dimension.name() == asked);
    let is_meant = |set: &Vec<Dimension>| {
        set.iter().all(|dimension| is_asked(&dimension.name()))
            && given.keys().chain(by).all(|asked| is_of(set, asked))
    };
    let Some(place) = metric.key_sets.iter().position(is_meant) else {
        let name = |set: &Vec<Dimension>| {
            let names: Vec<_> = set.iter().map(Dimension::name).collect();
            format!("[{}]", names.join(", "))
        };
        return Err(not_declared(metric, Undeclared::KeySet, metric.key_sets.iter().map(name).collect()));
    };
    let values: Vec<Option<&String>> =
        metric.key_sets[place].iter().map(|dimension| given.get(&*dimension.name())).collect();
    let key = values.iter().copied().collect::<Option<Vec<_>>>();
    let some = values.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?.clone())));
    Ok(Keys {
        key_set: place as u16,
        given: if key.is_some() { Vec::new() } else { some.collect() },
        key: key.map(|values| values.into_iter().cloned().collect()),
    })
}

fn span(asked: Option<&AskedSpan>) -> Result<Span, ApiError> {
    match asked {
        None => Ok(Span::Newest),
        Some(AskedSpan::Last(n)) => match usize::try_from(*n) {
            Ok(n) if (1..=MOST_WINDOWS).contains(&n) => Ok(Span::Last(n)),
            _ => Err(ApiError::out_of_range("last", n, 1, MOST_WINDOWS)),
        },
        Some(AskedSpan::Range(range)) => time_range("range", range).map(Span::Starting),
    }
}

/// A range as a request gives it: open where it says nothing.
pub(super) fn time_range(path: &str, range: &v1::TimeRange) -> Result<TimeRange, ApiError> {
    let start = range.start_time.as_ref().map_or(Millis::MIN, from_timestamp);
    let end = range.end_time.as_ref().map_or(Millis::MAX, from_timestamp);
    if start > end {
        return Err(ApiError::invalid(path, "must not end before it starts"));
    }
    Ok(TimeRange { start, end })
}

fn top(metric: &Metric, asked: &v1::TopN, settings: &Settings) -> Result<Top, ApiError> {
    let n = match usize::try_from(asked.n) {
        Err(_) => return Err(ApiError::out_of_range("top.n", asked.n, 0, TOP_MOST)),
        Ok(0) => TOP,
        Ok(n) => n.min(TOP_MOST),
    };
    let name = |place: usize| &metric.measures[place].name;
    let ranked =
        metric.rank.iter().copied().find(|place| asked.measure.is_empty() || *name(*place) == asked.measure);
    let Some(measure) = ranked else {
        let declared = metric.rank.iter().map(|place| name(*place).clone()).collect();
        return Err(not_declared(metric, Undeclared::RankedMeasure, declared));
    };
    let currency = match asked.currency_code.as_str() {
        "" => settings.fold.currency,
        code => Currency::parse(code).ok_or_else(|| {
            let message = "must be an ISO 4217 code, such as EUR";
            ApiError::field(Reason::CurrencyUnknown, "top.currency_code", message)
        })?,
    };
    Ok(Top { measure, n, ascending: asked.ascending, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(request: v1::QueryMetricRequest) -> Result<Query, ApiError> {
        Asked::of(&request, "main", Arc::new(Settings::builtin())).map(|asked| asked.query)
    }

    fn request(name: &str, given: &[(&str, &str)], by: &[&str]) -> v1::QueryMetricRequest {
        v1::QueryMetricRequest {
            name: name.to_owned(),
            r#where: given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            group_by: by.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        }
    }

    fn reason(request: v1::QueryMetricRequest) -> (Reason, String) {
        let refused = refused_of(asked(request).unwrap_err());
        (
            refused.reason,
            refused
                .metadata
                .get("declared")
                .or_else(|| refused.metadata.get("near"))
                .cloned()
                .unwrap_or_default(),
        )
    }

    #[test]
    fn a_name_alone_is_a_whole_question() {
        let query = asked(request("metrics/active_users", &[], &[])).unwrap();
        assert_eq!((query.key_set, query.key, query.span), (0, Some(Vec::new()), Span::Newest));
        assert_eq!(query.window.map(|window| window.to_string()).as_deref(), Some("5m/1s"));
        let query = asked(request("metrics/region_trips", &[], &[])).unwrap();
        assert_eq!((query.key_set, query.key), (0, None), "without a set of everything it is the first");
    }

    #[test]
    fn dimensions_given_and_grouped_by_name_a_key_set() {
        let query = asked(request("metrics/products", &[], &["category"])).unwrap();
        assert_eq!((query.key_set, &query.key), (1, &None));
        let query = asked(request("metrics/products", &[("category", "mugs")], &["category"])).unwrap();
        assert_eq!((query.key_set, query.key), (1, Some(vec!["mugs".to_owned()])));
        let query = asked(request("metrics/journeys", &[("step_to", "/")], &["step_from"])).unwrap();
        assert_eq!((query.key, query.given), (None, vec![(1, "/".to_owned())]));
    }

    #[test]
    fn what_is_not_declared_is_named_with_what_is() {
        let (reason_of, near) = reason(request("metrics/active_user", &[], &[]));
        assert_eq!((reason_of, &*near), (Reason::MetricUnknown, "active_users"));
        let (reason_of, declared) = reason(request("metrics/products", &[("brand", "x")], &[]));
        assert_eq!((reason_of, &*declared), (Reason::KeyNotDeclared, "[product], [category], []"));
        let window = v1::QueryMetricRequest { window: "2m".into(), ..request("metrics/products", &[], &[]) };
        assert_eq!(reason(window), (Reason::WindowNotDeclared, "1h, 1m, 5m, day, total".to_owned()));
        let top = |measure: &str| v1::QueryMetricRequest {
            top: Some(v1::TopN { measure: measure.into(), ..Default::default() }),
            ..request("metrics/events", &[], &["kind"])
        };
        assert_eq!(reason(top("events")), (Reason::MeasureNotRanked, String::new()));
    }

    #[test]
    fn orders_are_coerced_and_have_a_currency() {
        let top = |n, code: &str| {
            let top = v1::TopN { n, currency_code: code.into(), ..Default::default() };
            let request = request("metrics/products", &[], &["product"]);
            asked(v1::QueryMetricRequest { top: Some(top), ..request }).map(|query| query.top.unwrap())
        };
        let settings = Settings::builtin();
        let metric = settings.metric("products").unwrap();
        let first = top(0, "").unwrap();
        assert_eq!((first.n, metric.measures[first.measure].name.as_str()), (10, "revenue"));
        assert_eq!((first.currency.code(), top(9_999, "USD").unwrap().n), ("EUR", 1_000));
        assert_eq!(refused_of(top(1, "usd").unwrap_err()).reason, Reason::CurrencyUnknown);
        assert_eq!(refused_of(top(-1, "").unwrap_err()).reason, Reason::ValueOutOfRange);
    }

    #[test]
    fn spans_are_bounded_and_every_bad_field_is_named() {
        let request = v1::QueryMetricRequest {
            span: Some(AskedSpan::Last(0)),
            window: "300s".into(),
            ..request("metrics/products", &[], &["product"])
        };
        let refused = refused_of(asked(request.clone()).unwrap_err());
        assert_eq!((refused.reason, &*refused.fields[0].path), (Reason::ValueOutOfRange, "last"));
        let wrong = v1::QueryMetricRequest { window: "2m".into(), ..request.clone() };
        let paths = |refused: crate::error::Refused| refused.fields.into_iter().map(|field| field.path);
        assert!(paths(refused_of(asked(wrong).unwrap_err())).eq(["window", "last"]));
        let query = asked(v1::QueryMetricRequest { span: Some(AskedSpan::Last(3)), ..request }).unwrap();
        assert_eq!((query.span, query.window.unwrap().to_string()), (Span::Last(3), "5m".to_owned()));
    }
}
