//! `[metric.NAME.measures]`: one aggregator each, over facts that have what it reads.

use toml::Value;

use crate::fact::FactKind;
use crate::limits::{EXACT_VALUES, EXACT_VALUES_DEFAULT, FILTER_VALUES};
use crate::metric::{Aggregator, Dimension, Field, Filter, Measure, Quantity};
use crate::settings::node::{Node, Section, check_name};
use crate::settings::problem::Problems;

/// The aggregators by name; a measure has exactly one.
const AGGREGATORS: [&str; 8] = ["count", "sum", "mean", "min", "max", "distinct", "quantile", "ratio"];
const KEYS: [&str; 12] =
    ["count", "sum", "mean", "min", "max", "distinct", "quantile", "ratio", "q", "exact_to", "from", "where"];

/// What the measures of one metric share.
pub(super) struct Shared<'m> {
    pub(super) from: Option<Vec<FactKind>>,
    pub(super) filters: Option<Node<'m>>,
    /// The measures' names, sorted: a ratio names two by place.
    pub(super) names: Vec<&'m str>,
}

pub(super) fn measure(
    name: &str,
    section: &Section<'_>,
    shared: &Shared<'_>,
    problems: &mut Problems,
) -> Option<Measure> {
    check_name(&section.path, name, problems);
    section.only(&KEYS, problems);
    let aggregator = aggregator(section, shared, problems);
    let is_ratio = section.get("ratio").is_some();
    let from = match section.get("from") {
        Some(node) if is_ratio => {
            problems.add(node.path, "a ratio reads measures, not facts");
            return None;
        }
        Some(node) => facts(&node, problems),
        None if is_ratio => Some(Vec::new()),
        None if shared.from.is_some() => shared.from.clone(),
        None => {
            problems
                .add(section.path_of("from"), "is missing here and in the metric: name the facts to read");
            None
        }
    };
    let own = section.get("where");
    if let (Some(node), true) = (&own, is_ratio) {
        problems.add(&node.path, "a ratio reads measures, not facts");
    }
    let shared_filters = shared.filters.clone().filter(|_| !is_ratio);
    let from = from?;
    let mut filters = Vec::new();
    for node in [shared_filters, own].into_iter().flatten() {
        filters.extend(conditions(&node, &from, problems));
    }
    let measure = Measure { name: name.to_owned(), aggregator: aggregator?, from, filters };
    check_reads(&measure, section, problems);
    Some(measure)
}

/// One fact or a list of them, none twice.
pub(super) fn facts(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<FactKind>> {
    let nodes = node.one_or_more();
    let mut facts = Vec::with_capacity(nodes.len().min(FactKind::COUNT));
    for node in &nodes {
        let name = node.text(problems)?;
        match FactKind::ALL.iter().find(|(_, known)| *known == name) {
            Some((kind, _)) if facts.contains(kind) => problems.add(&node.path, "is there already"),
            Some((kind, _)) => facts.push(*kind),
            None => problems.unknown(&node.path, "fact", name, FactKind::ALL.iter().map(|(_, name)| *name)),
        }
    }
    if nodes.is_empty() {
        problems.add(&node.path, "name at least one fact");
    }
    (!facts.is_empty() && facts.len() == nodes.len()).then_some(facts)
}

/// `{ field = value or list }`: all must hold.
fn conditions(node: &Node<'_>, from: &[FactKind], problems: &mut Problems) -> Vec<Filter> {
    let Some(section) = node.section(problems) else { return Vec::new() };
    let mut filters = Vec::new();
    for (name, node) in section.entries() {
        let Some(dimension) = dimension(&node.path, name, from, problems) else { continue };
        let values = node.one_or_more();
        if values.is_empty() || values.len() > FILTER_VALUES {
            problems.add(&node.path, format!("name 1 to {FILTER_VALUES} values"));
            continue;
        }
        let any_of = values.iter().filter_map(|value| value.text(problems)).map(str::to_owned).collect();
        filters.push(Filter { dimension, any_of });
    }
    filters
}

/// A dimension every one of these facts has.
pub(super) fn dimension(
    path: &str,
    name: &str,
    from: &[FactKind],
    problems: &mut Problems,
) -> Option<Dimension> {
    let Some(dimension) = Dimension::parse(name) else {
        problems.unknown(path, "dimension", name, Field::ALL.iter().map(|(_, name)| *name));
        return None;
    };
    let without = names_of(from.iter().filter(|kind| !dimension.is_of(**kind)));
    if !without.is_empty() {
        problems.add(path, format!("`{}` is no dimension of {without}", dimension.name()));
    }
    Some(dimension)
}

fn names_of<'k>(kinds: impl Iterator<Item = &'k FactKind>) -> String {
    kinds.map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn aggregator(section: &Section<'_>, shared: &Shared<'_>, problems: &mut Problems) -> Option<Aggregator> {
    let mut named = AGGREGATORS.into_iter().filter_map(|name| section.get(name).map(|node| (name, node)));
    let (Some((name, node)), None) = (named.next(), named.next()) else {
        problems.add(&section.path, format!("needs exactly one of {}", AGGREGATORS.join(", ")));
        return None;
    };
    if name != "quantile"
        && let Some(q) = section.get("q")
    {
        problems.add(q.path, "belongs to a quantile");
    }
    let aggregator = match name {
        "count" => node.is_true(problems).map(|()| Aggregator::Count),
        "sum" => quantity(&node, problems).map(Aggregator::Sum),
        "mean" => quantity(&node, problems).map(Aggregator::Mean),
        "min" => quantity(&node, problems).map(Aggregator::Min),
        "max" => quantity(&node, problems).map(Aggregator::Max),
        "distinct" => distinct(section, &node, problems),
        "quantile" => quantile(section, &node, problems),
        _ => ratio(&node, shared, problems),
    }?;
    let is_sketched = matches!(aggregator, Aggregator::Distinct { .. } | Aggregator::Quantile { .. });
    if let (Some(node), false) = (section.get("exact_to"), is_sketched) {
        problems
            .add(node.path, "belongs to a quantile or to a distinct count of another dimension than user");
    }
    Some(aggregator)
}

fn quantity(node: &Node<'_>, problems: &mut Problems) -> Option<Quantity> {
    let name = node.text(problems)?;
    let quantity = Quantity::parse(name);
    if quantity.is_none() {
        problems.unknown(&node.path, "number", name, Quantity::ALL.iter().map(|(_, name)| *name));
    }
    quantity
}

fn distinct(section: &Section<'_>, node: &Node<'_>, problems: &mut Problems) -> Option<Aggregator> {
    let name = node.text(problems)?;
    match Dimension::parse(name) {
        Some(Dimension::Field(Field::User)) => Some(Aggregator::DistinctUsers),
        Some(Dimension::Field(of)) => {
            exact_to(section, problems).map(|exact_to| Aggregator::Distinct { of, exact_to })
        }
        Some(Dimension::Label(_)) => {
            problems.add(&node.path, "labels cannot be counted distinct");
            None
        }
        None => {
            problems.unknown(&node.path, "dimension", name, Field::ALL.iter().map(|(_, name)| *name));
            None
        }
    }
}

fn quantile(section: &Section<'_>, node: &Node<'_>, problems: &mut Problems) -> Option<Aggregator> {
    let of = quantity(node, problems);
    let exact_to = exact_to(section, problems);
    let millionths = section.need("q", problems).and_then(|node| {
        let millionths = match node.value {
            Value::Float(q) => millionths(*q),
            Value::Integer(1) => Some(1_000_000),
            _ => None,
        };
        if millionths.is_none() {
            problems.add(node.path, "must be above 0 and at most 1, with at most six decimals");
        }
        millionths
    });
    Some(Aggregator::Quantile { of: of?, millionths: millionths?, exact_to: exact_to? })
}

/// A share as millionths, if it is a whole number of them.
fn millionths(q: f64) -> Option<u32> {
    let scaled = q * 1e6;
    let whole = scaled.round();
    let is_whole = (scaled - whole).abs() < 1e-3;
    (is_whole && (1.0..=1e6).contains(&whole)).then_some(whole as u32)
}

fn exact_to(section: &Section<'_>, problems: &mut Problems) -> Option<usize> {
    match section.get("exact_to") {
        Some(node) => node.integer(1, EXACT_VALUES, problems).and_then(|values| usize::try_from(values).ok()),
        None => Some(EXACT_VALUES_DEFAULT),
    }
}

fn ratio(node: &Node<'_>, shared: &Shared<'_>, problems: &mut Problems) -> Option<Aggregator> {
    let nodes = node.list(problems)?;
    let [numerator, denominator] = nodes.as_slice() else {
        problems.add(&node.path, "name two measures: the part and the whole");
        return None;
    };
    let numerator = place_of(numerator, &shared.names, problems);
    let denominator = place_of(denominator, &shared.names, problems);
    Some(Aggregator::Ratio { numerator: numerator?, denominator: denominator? })
}

/// Place of the measure a value names.
pub(super) fn place_of(node: &Node<'_>, names: &[&str], problems: &mut Problems) -> Option<usize> {
    let name = node.text(problems)?;
    let place = names.iter().position(|known| *known == name);
    if place.is_none() {
        problems.unknown(&node.path, "measure", name, names.iter().copied());
    }
    place
}

/// Every fact read must have what the aggregator reads, and be one it can undo if it may be taken back.
fn check_reads(measure: &Measure, section: &Section<'_>, problems: &mut Problems) {
    let aggregator = measure.aggregator;
    let path = section.path_of(aggregator.name());
    if let Some(quantity) = aggregator.quantity() {
        let without = names_of(measure.from.iter().filter(|kind| !quantity.is_of(**kind)));
        if !without.is_empty() {
            problems.add(&path, format!("`{}` is no number of {without}", quantity.name()));
        }
    }
    if let Aggregator::Distinct { of, .. } = aggregator {
        let without = names_of(measure.from.iter().filter(|kind| !of.is_of(**kind)));
        if !without.is_empty() {
            problems.add(&path, format!("`{}` is no dimension of {without}", of.name()));
        }
    }
    if !aggregator.can_take_back() {
        let taken_back = names_of(measure.from.iter().filter(|kind| kind.can_be_taken_back()));
        if !taken_back.is_empty() {
            problems
                .add(&path, format!("{taken_back} can be taken back: only count, sum, mean, ratio read it"));
        }
    }
}
