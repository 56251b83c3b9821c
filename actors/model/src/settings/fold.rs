//! `[fold]` and `[defaults]`: what the fold itself is configured by, and what a metric has where it says nothing.

use crate::limits::{MAX_KEYS, WINDOWS};
use crate::metric::{TimeZone, Window};
use crate::money::{Currency, Money};
use crate::settings::literal;
use crate::settings::node::{Node, Section};
use crate::settings::problem::Problems;
use crate::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A hold older than an hour is refused, so no order may wait longer for one.
const LONGEST_ORDER_TIMEOUT: Millis = HOUR;
/// The watermark of every window waits this long at most.
pub(super) const LONGEST_LATENESS: Millis = HOUR;
/// Ten years: what a table is for beyond that.
pub(super) const LONGEST_KEEP: Millis = 3_650 * DAY;
/// How long a PENDING order waits where the settings do not say.
pub(super) const ORDER_TIMEOUT: &str = "10m";
/// The clock where the settings do not say.
pub(super) const CLOCK: &str = "live";

const FOLD_KEYS: [&str; 9] = [
    "abandon_after",
    "session_gap",
    "order_timeout",
    "low_stock_below",
    "stale_stock_after",
    "price_drop",
    "tax",
    "shipping",
    "clock",
];
const DEFAULTS_KEYS: [&str; 7] =
    ["currency", "time_zone", "lateness", "correct_for", "keep", "max_keys", "windows"];

/// `[fold]` and the defaults the fold itself reads.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldSettings {
    pub clock: Clock,
    pub lateness: Millis,
    pub currency: Currency,
    pub abandon_after: Millis,
    pub session_gap: Millis,
    pub order_timeout: Millis,
    pub low_stock_below: i64,
    pub stale_stock_after: Millis,
    /// Basis points: 10 % is 1,000.
    pub price_drop_basis_points: i64,
    pub tax_basis_points: i64,
    /// Of `currency`.
    pub shipping: Money,
}

/// Whether ticks and the time bounds of events apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Live,
    History,
}

/// What a metric has where its entry says nothing.
#[derive(Debug, Clone)]
pub(super) struct Defaults {
    pub(super) time_zone: TimeZone,
    pub(super) lateness: Millis,
    pub(super) correct_for: Millis,
    pub(super) keep: Millis,
    pub(super) max_keys: usize,
    pub(super) windows: Vec<Window>,
    /// None only in a stand-in.
    pub(super) currency: Option<Currency>,
}

impl Defaults {
    /// What metrics are checked against where `[defaults]` itself is wrong.
    pub(super) fn stand_in() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            lateness: 0,
            correct_for: 0,
            keep: LONGEST_KEEP,
            max_keys: 1,
            windows: Vec::new(), // then windows are not known, and nothing is said of them
            currency: None,
        }
    }
}

pub(super) fn defaults(section: &Section<'_>, problems: &mut Problems) -> Option<Defaults> {
    section.only(&DEFAULTS_KEYS, problems);
    let currency = section.need("currency", problems).and_then(|node| node.parsed(currency, problems));
    let time_zone = section.need("time_zone", problems).and_then(|node| time_zone(&node, problems));
    let lateness = duration(section, "lateness", 0, LONGEST_LATENESS, problems);
    let correct_for = duration(section, "correct_for", 0, LONGEST_KEEP, problems);
    let keep = duration(section, "keep", 0, LONGEST_KEEP, problems);
    let max_keys = section.need("max_keys", problems).and_then(|node| max_keys(&node, problems));
    let windows = section.need("windows", problems).and_then(|node| windows(&node, problems));
    if let (Some(correct_for), Some(keep)) = (correct_for, keep)
        && correct_for > keep
    {
        problems.add(section.path_of("correct_for"), "must not be longer than keep");
    }
    Some(Defaults {
        time_zone: time_zone?,
        lateness: lateness?,
        correct_for: correct_for?,
        keep: keep?,
        max_keys: max_keys?,
        windows: windows?,
        currency: Some(currency?),
    })
}

pub(super) fn fold(
    section: &Section<'_>,
    defaults: Option<&Defaults>,
    problems: &mut Problems,
) -> Option<FoldSettings> {
    section.only(&FOLD_KEYS, problems);
    let abandon_after = duration(section, "abandon_after", SECOND, 30 * DAY, problems);
    let session_gap = duration(section, "session_gap", SECOND, DAY, problems);
    let order_timeout = match section.get("order_timeout") {
        Some(node) => node.duration(SECOND, LONGEST_ORDER_TIMEOUT, problems),
        None => literal::duration(ORDER_TIMEOUT).ok(),
    };
    let low_stock_below = section
        .need("low_stock_below", problems)
        .and_then(|node| node.integer(0, crate::limits::PIECES, problems));
    let stale_stock_after = duration(section, "stale_stock_after", MINUTE, 400 * DAY, problems);
    let price_drop = percentage(section, "price_drop", problems);
    let tax = percentage(section, "tax", problems);
    let shipping = section.need("shipping", problems).and_then(|node| shipping(&node, defaults, problems));
    let clock = match section.get("clock") {
        Some(node) => node.parsed(clock, problems),
        None => clock(CLOCK).ok(),
    };
    let defaults = defaults?;
    Some(FoldSettings {
        clock: clock?,
        lateness: defaults.lateness,
        currency: defaults.currency?,
        abandon_after: abandon_after?,
        session_gap: session_gap?,
        order_timeout: order_timeout?,
        low_stock_below: low_stock_below?,
        stale_stock_after: stale_stock_after?,
        price_drop_basis_points: price_drop?,
        tax_basis_points: tax?,
        shipping: shipping?,
    })
}

fn duration(
    section: &Section<'_>,
    key: &str,
    least: Millis,
    most: Millis,
    problems: &mut Problems,
) -> Option<Millis> {
    section.need(key, problems)?.duration(least, most, problems)
}

fn percentage(section: &Section<'_>, key: &str, problems: &mut Problems) -> Option<i64> {
    section.need(key, problems)?.parsed(literal::basis_points, problems)
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "use an ISO 4217 code, such as EUR".to_owned())
}

fn clock(name: &str) -> Result<Clock, String> {
    match name {
        "live" => Ok(Clock::Live),
        "history" => Ok(Clock::History),
        _ => Err("must be live or history".to_owned()),
    }
}

/// Shipping is of the shop's currency; nothing at all is nothing in any.
fn shipping(node: &Node<'_>, defaults: Option<&Defaults>, problems: &mut Problems) -> Option<Money> {
    let money = node.parsed(literal::money, problems)?;
    let Some(currency) = defaults.and_then(|defaults| defaults.currency) else { return Some(money) };
    if money.minor != 0 && money.currency != currency {
        problems.add(&node.path, format!("must be in {}, the currency of defaults", currency.code()));
    }
    Some(Money { currency, minor: money.minor })
}

pub(super) fn time_zone(node: &Node<'_>, problems: &mut Problems) -> Option<TimeZone> {
    let name = node.text(problems)?;
    let zone = TimeZone::parse(name);
    if zone.is_none() {
        let names = TimeZone::names();
        problems.unknown(&node.path, "time zone", name, names.iter().map(String::as_str));
    }
    zone
}

pub(super) fn max_keys(node: &Node<'_>, problems: &mut Problems) -> Option<usize> {
    node.integer(1, MAX_KEYS, problems).and_then(|keys| usize::try_from(keys).ok())
}

/// Windows in the order declared, none twice.
pub(super) fn windows(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<Window>> {
    let nodes = node.list(problems)?;
    if nodes.is_empty() || nodes.len() > WINDOWS {
        problems.add(&node.path, format!("name 1 to {WINDOWS} windows"));
        return None;
    }
    let mut windows = Vec::with_capacity(nodes.len());
    for node in &nodes {
        match node.parsed(literal::window, problems) {
            Some(window) if windows.contains(&window) => problems.add(&node.path, "is there already"),
            Some(window) => windows.push(window),
            None => {}
        }
    }
    (windows.len() == nodes.len()).then_some(windows)
}
