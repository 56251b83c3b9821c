//! The settings file, read again by this side (section 11 and the catalogue of the public API).

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use souk_proto::journal::v1 as journal;
use toml::{Table, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::fact::Amount;
use super::time::{HOUR, MINUTE, Ms};
use super::window::{Window, duration};

/// Millionths: quantile ranks, percentages and rates without floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ppm(pub(super) u64);

/// What is wrong with a settings text, for a person.
pub(super) type Fault = String;

/// One settings file.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Of two settings the larger of (revision, hash) stands, whichever came first.
    order: (u64, u64),
    pub(super) history: bool,
    pub(super) abandon_after: Ms,
    pub(super) session_gap: Ms,
    pub(super) order_timeout: Ms,
    pub(super) stale_stock_after: Ms,
    pub(super) low_stock_below: i64,
    pub(super) price_drop: Ppm,
    pub(super) tax: Ppm,
    pub(super) shipping: Option<Amount>,
    pub(super) lateness: Ms,
    default_correct_for: Ms,
    pub(super) metrics: BTreeMap<String, Metric>,
}

/// One metric as declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metric {
    pub(super) keys: Vec<Vec<String>>,
    pub(super) windows: Vec<(String, Window)>,
    pub(super) filter: Filter,
    pub(super) measures: BTreeMap<String, Measure>,
    pub(super) lateness: Ms,
    pub(super) correct_for: Ms,
    pub(super) keep: Ms,
    pub(super) max_keys: usize,
    pub(super) zone: TimeZone,
}

/// One measure as declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measure {
    pub(super) from: Vec<String>,
    pub(super) filter: Filter,
    pub(super) does: Aggregate,
    pub(super) exact_to: usize,
}

/// How a measure turns facts into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Aggregate {
    Count,
    Sum(String),
    Min(String),
    Max(String),
    Mean(String),
    Distinct(String),
    Quantile(String, Ppm),
    Ratio(String, String),
}

/// `where`: each field has one of its values.
pub(super) type Filter = BTreeMap<String, BTreeSet<String>>;

const TAKEN_BACK: [&str; 3] = ["cart_abandoned", "session_started", "session_ended"];
const FACTS: [&str; 19] = [
    "event",
    "page_view",
    "product_view",
    "cart_add",
    "cart_remove",
    "order_line",
    "refund_line",
    "checkout_started",
    "order_placed",
    "refund",
    "cart_abandoned",
    "cart_recovered",
    "session_started",
    "session_ended",
    "search",
    "review",
    "journey_step",
    "transaction",
    "trip",
];
const EXACT_TO: i64 = 4_096;
const METRIC_WORDS: [&str; 14] = [
    "from",
    "where",
    "keys",
    "windows",
    "measures",
    "rank",
    "lateness",
    "correct_for",
    "keep",
    "time_zone",
    "max_keys",
    "title",
    "redis",
    "table",
];

impl Settings {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let file: Table = text.parse().map_err(|error| format!("no TOML: {error}"))?;
        let empty = Table::new();
        let fold = table(&file, "fold")?.unwrap_or(&empty);
        let defaults = table(&file, "defaults")?.unwrap_or(&empty);
        let clock = fold.get("clock").or_else(|| file.get("clock"));
        let mut settings = Self {
            order: (0, xxh3_64(text.as_bytes())),
            history: clock.and_then(Value::as_str) == Some("history"),
            abandon_after: span(fold, "abandon_after", 30 * MINUTE)?,
            session_gap: span(fold, "session_gap", 30 * MINUTE)?,
            order_timeout: span(fold, "order_timeout", 10 * MINUTE)?,
            stale_stock_after: span(fold, "stale_stock_after", HOUR)?,
            low_stock_below: integer(fold, "low_stock_below", 10)?,
            price_drop: percent(fold, "price_drop", Ppm(100_000))?,
            tax: percent(fold, "tax", Ppm(0))?,
            shipping: fold.get("shipping").map(money).transpose()?,
            lateness: span(defaults, "lateness", 5_000)?,
            default_correct_for: span(defaults, "correct_for", 24 * HOUR)?,
            metrics: BTreeMap::new(),
        };
        for (name, entry) in table(&file, "metric")?.unwrap_or(&empty) {
            let entry = entry.as_table().ok_or_else(|| format!("metric {name} is no table"))?;
            let metric = Metric::parse(entry, defaults).map_err(|fault| format!("metric {name}: {fault}"))?;
            settings.metrics.insert(name.clone(), metric);
        }
        Ok(settings)
    }

    /// Takes a proposed file over this one, if it is lawful and not overtaken.
    pub(super) fn followed_by(&self, next: &journal::Settings) -> Result<Self, Fault> {
        let order = (next.revision, next.hash);
        let settings = Self { order, ..Self::parse(&next.body)? };
        if xxh3_64(next.body.as_bytes()) != next.hash {
            return Err("the hash is another body's".to_owned());
        }
        if settings.history != self.history {
            return Err("the clock is fixed".to_owned());
        }
        if order <= self.order { Err("overtaken".to_owned()) } else { Ok(settings) }
    }

    /// `F`: how far behind the high water anything still counts.
    pub(super) fn horizon(&self) -> Ms {
        let longest = self.metrics.values().map(|metric| metric.lateness + metric.correct_for).max();
        longest.unwrap_or(self.lateness + self.default_correct_for)
    }
}

impl Metric {
    fn parse(entry: &Table, defaults: &Table) -> Result<Self, Fault> {
        if let Some(unknown) = entry.keys().find(|word| !METRIC_WORDS.contains(&word.as_str())) {
            return Err(format!("unknown word {unknown}"));
        }
        let inherited = |key: &str| entry.get(key).or_else(|| defaults.get(key)).cloned();
        let own = Table::from_iter(
            ["lateness", "correct_for", "keep", "max_keys", "time_zone", "windows"]
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), inherited(key)?))),
        );
        let correct_for = span(&own, "correct_for", 24 * HOUR)?;
        let keep = span(&own, "keep", 8 * 24 * HOUR)?;
        if correct_for > keep {
            return Err("correct_for is longer than keep".to_owned());
        }
        let zone = own.get("time_zone").and_then(Value::as_str).unwrap_or("UTC");
        let zone = if zone == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(zone) };
        let names = match own.get("windows") {
            Some(declared) => texts(declared)?,
            None => ["5m", "1h", "day"].map(str::to_owned).to_vec(),
        };
        let windows = names
            .into_iter()
            .map(|name| Window::parse(&name).map(|window| (name.clone(), window)).ok_or(name))
            .collect::<Result<_, _>>()
            .map_err(|name| format!("no window: {name}"))?;
        let metric = Self {
            keys: key_sets(entry)?,
            windows,
            filter: filter(entry)?,
            measures: measures(entry)?,
            lateness: span(&own, "lateness", 5_000)?,
            correct_for,
            keep,
            max_keys: usize::try_from(integer(&own, "max_keys", 100_000)?)
                .map_err(|error| error.to_string())?,
            zone: zone.map_err(|error| error.to_string())?,
        };
        let rank = entry.get("rank").map_or_else(|| Ok(Vec::new()), texts)?;
        if let Some(unknown) = rank.iter().find(|name| !metric.measures.contains_key(*name)) {
            return Err(format!("rank names no measure: {unknown}"));
        }
        metric.check().map(|()| metric)
    }

    /// Whether another declaration of the name says the same; how long it is kept may differ.
    pub(super) fn means(&self, other: &Self) -> bool {
        Self { keep: other.keep, ..self.clone() } == *other
    }

    fn check(&self) -> Result<(), Fault> {
        for (name, measure) in &self.measures {
            for fact in &measure.from {
                if !FACTS.contains(&fact.as_str()) {
                    return Err(format!("no fact: {fact}"));
                }
            }
            if let Aggregate::Ratio(over, under) = &measure.does {
                let plain =
                    |name| self.measures.get(name).is_some_and(|m| !matches!(m.does, Aggregate::Ratio(..)));
                if !plain(over) || !plain(under) {
                    return Err(format!("{name} is a ratio of what is not there"));
                }
                continue;
            }
            let additive = matches!(measure.does, Aggregate::Count | Aggregate::Sum(_) | Aggregate::Mean(_));
            if !additive && measure.from.iter().any(|fact| TAKEN_BACK.contains(&fact.as_str())) {
                return Err(format!("{name} cannot count facts that can be taken back"));
            }
            if measure.from.is_empty() {
                return Err(format!("{name} counts no fact"));
            }
        }
        Ok(())
    }
}

fn measures(entry: &Table) -> Result<BTreeMap<String, Measure>, Fault> {
    let from = entry.get("from").map_or(Ok(Vec::new()), texts)?;
    let declared = table(entry, "measures")?.ok_or("no measures")?;
    let mut measures = BTreeMap::new();
    for (name, measure) in declared {
        let measure = measure.as_table().ok_or_else(|| format!("measure {name} is no table"))?;
        let does = aggregate(measure).map_err(|fault| format!("measure {name}: {fault}"))?;
        let own = measure.get("from").map(texts).transpose()?;
        let exact_to =
            usize::try_from(integer(measure, "exact_to", EXACT_TO)?).map_err(|error| error.to_string())?;
        let from = if matches!(does, Aggregate::Ratio(..)) {
            Vec::new()
        } else {
            own.unwrap_or_else(|| from.clone())
        };
        measures.insert(name.clone(), Measure { from, filter: filter(measure)?, does, exact_to });
    }
    Ok(measures)
}

fn aggregate(measure: &Table) -> Result<Aggregate, Fault> {
    let mut found = Vec::new();
    for (word, value) in measure {
        let field = || value.as_str().map(str::to_owned).ok_or_else(|| format!("{word} needs a field"));
        found.push(match word.as_str() {
            "count" if value.as_bool() == Some(true) => Aggregate::Count,
            "sum" => Aggregate::Sum(field()?),
            "min" => Aggregate::Min(field()?),
            "max" => Aggregate::Max(field()?),
            "mean" => Aggregate::Mean(field()?),
            "distinct" => Aggregate::Distinct(field()?),
            "quantile" => Aggregate::Quantile(field()?, rank(measure)?),
            "ratio" => match texts(value)?.as_slice() {
                [over, under] => Aggregate::Ratio(over.clone(), under.clone()),
                _ => return Err("a ratio has two measures".to_owned()),
            },
            "from" | "where" | "q" | "exact_to" => continue,
            other => return Err(format!("unknown word {other}")),
        });
    }
    match found.len() {
        1 => found.pop().ok_or_else(String::new),
        n => Err(format!("{n} aggregates")),
    }
}

/// `q` in millionths: the decimal digits as written, never a float's.
fn rank(measure: &Table) -> Result<Ppm, Fault> {
    let q = measure.get("q").ok_or("a quantile needs q")?;
    decimal_ppm(&q.to_string())
        .filter(|q| *q > 0 && *q <= 1_000_000)
        .map(Ppm)
        .ok_or_else(|| format!("q = {q}"))
}

fn decimal_ppm(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 6 {
        return None;
    }
    format!("{whole}{rest:0<6}").parse().ok()
}

fn percent(table: &Table, key: &str, default: Ppm) -> Result<Ppm, Fault> {
    let Some(value) = table.get(key) else { return Ok(default) };
    let digits =
        value.as_str().and_then(|text| text.strip_suffix('%')).ok_or_else(|| format!("{key} = {value}"))?;
    decimal_ppm(digits.trim()).map(|ppm| Ppm(ppm / 100)).ok_or_else(|| format!("{key} = {value}"))
}

/// Reads `0 EUR` or `4.99 EUR` into minor units.
fn money(value: &Value) -> Result<Amount, Fault> {
    let read = || {
        let (number, currency) = value.as_str()?.split_once(' ')?;
        let digits = super::currency::minor_digits(currency)?;
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        (rest.len() <= digits).then_some(())?;
        Some(Amount::new(currency, format!("{whole}{rest:0<digits$}").parse().ok()?))
    };
    read().ok_or_else(|| format!("no amount: {value}"))
}

fn table<'a>(parent: &'a Table, key: &str) -> Result<Option<&'a Table>, Fault> {
    parent.get(key).map(|value| value.as_table().ok_or_else(|| format!("{key} is no table"))).transpose()
}

fn span(table: &Table, key: &str, default: Ms) -> Result<Ms, Fault> {
    let Some(value) = table.get(key) else { return Ok(default) };
    value.as_str().and_then(duration).ok_or_else(|| format!("{key} = {value} is no duration"))
}

fn integer(table: &Table, key: &str, default: i64) -> Result<i64, Fault> {
    let Some(value) = table.get(key) else { return Ok(default) };
    value.as_integer().ok_or_else(|| format!("{key} = {value} is no whole number"))
}

fn key_sets(entry: &Table) -> Result<Vec<Vec<String>>, Fault> {
    match entry.get("keys") {
        None => Ok(vec![Vec::new()]),
        Some(Value::Array(sets)) => sets.iter().map(texts).collect(),
        Some(other) => Err(format!("keys = {other}")),
    }
}

fn filter(entry: &Table) -> Result<Filter, Fault> {
    let Some(declared) = table(entry, "where")? else { return Ok(Filter::new()) };
    declared.iter().map(|(field, values)| Ok((field.clone(), texts(values)?.into_iter().collect()))).collect()
}

/// One text or a list of them; numbers read as their digits.
fn texts(value: &Value) -> Result<Vec<String>, Fault> {
    match value {
        Value::Array(values) => {
            values.iter().map(texts).collect::<Result<Vec<_>, _>>().map(|all| all.concat())
        }
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Integer(number) => Ok(vec![number.to_string()]),
        other => Err(format!("{other} is no text")),
    }
}
