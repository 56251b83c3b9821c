//! `[metric.NAME]`: one entry of the catalogue, compiled and checked against every rule of it.

use crate::fact::FactKind;
use crate::limits::{DIMENSIONS, KEY_SETS, MEASURES};
use crate::metric::{Aggregator, Dimension, Measure, Metric, PaneSize};
use crate::settings::fold::{self, Defaults, LONGEST_KEEP, LONGEST_LATENESS};
use crate::settings::measure::{self, Shared};
use crate::settings::node::{Node, Section, check_name};
use crate::settings::problem::Problems;
use crate::settings::view::{self, Subject, Views};

const KEYS: [&str; 14] = [
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

/// Compiles one entry; none if anything is wrong with it.
pub(super) fn metric(
    name: &str,
    section: &Section<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Option<(Metric, Views)> {
    check_name(&section.path, name, problems);
    section.only(&KEYS, problems);
    let measures = measures(section, problems);
    let key_sets = key_sets(section, measures.as_deref().unwrap_or_default(), problems);
    let windows = match section.get("windows") {
        Some(node) => fold::windows(&node, problems),
        None => Some(defaults.windows.clone()).filter(|windows| !windows.is_empty()),
    };
    let time_zone = match section.get("time_zone") {
        Some(node) => fold::time_zone(&node, problems),
        None => Some(defaults.time_zone.clone()),
    };
    let lateness = duration(section, "lateness", defaults.lateness, LONGEST_LATENESS, problems);
    let correct_for = duration(section, "correct_for", defaults.correct_for, LONGEST_KEEP, problems);
    let keep = duration(section, "keep", defaults.keep, LONGEST_KEEP, problems);
    let says = section.get("correct_for").is_some() || section.get("keep").is_some(); // else the defaults' own problem
    if let (Some(correct_for), Some(keep), true) = (correct_for, keep, says)
        && correct_for > keep
    {
        problems.add(section.path_of("correct_for"), "must not be longer than keep");
    }
    let max_keys = match section.get("max_keys") {
        Some(node) => fold::max_keys(&node, problems),
        None => Some(defaults.max_keys),
    };
    let title = match section.get("title") {
        Some(node) => node.text(problems),
        None => Some(""),
    };
    let names = measure_names(section);
    let rank = rank(section, &names, measures.as_deref(), key_sets.as_deref(), problems);
    let views = match (&key_sets, &windows) {
        (Some(key_sets), Some(windows)) => {
            let ranked = rank.as_deref().unwrap_or_default();
            view::views(section, &Subject { names: &names, key_sets, windows, ranked }, problems)
        }
        _ => None, // said already; a view of it would only say it again
    };
    let (windows, time_zone) = (windows?, time_zone?);
    let mut metric = Metric {
        name: name.to_owned(),
        title: title?.to_owned(),
        pane: PaneSize::finest(&windows, &time_zone),
        key_sets: key_sets?,
        windows,
        measures: measures?,
        rank: rank?,
        lateness: lateness?,
        correct_for: correct_for?,
        keep: keep?,
        max_keys: max_keys?,
        time_zone,
        meaning: 0,
    };
    metric.meaning = metric.hash_meaning();
    Some((metric, views?))
}

/// The declared measures' names, sorted: a measure's place in its metric is its name's here.
fn measure_names<'t>(section: &Section<'t>) -> Vec<&'t str> {
    let declared = section.get("measures").and_then(|node| node.value.as_table());
    declared.map(|table| table.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn duration(
    section: &Section<'_>,
    key: &str,
    default: i64,
    most: i64,
    problems: &mut Problems,
) -> Option<i64> {
    match section.get(key) {
        Some(node) => node.duration(0, most, problems),
        None => Some(default),
    }
}

/// The measures by name; none if one of them is wrong.
fn measures(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<Measure>> {
    let from = section.get("from").map(|node| measure::facts(&node, problems));
    let declared = section.need("measures", problems)?.section(problems)?;
    if declared.table.is_empty() || declared.table.len() > MEASURES {
        problems.add(&declared.path, format!("declare 1 to {MEASURES} measures"));
        return None;
    }
    let from_is_wrong = matches!(from, Some(None));
    // Where the metric's own facts are wrong that was said; its measures are then checked without them.
    let from = if from_is_wrong { Some(Vec::new()) } else { from.flatten() };
    let shared = Shared { from, filters: section.get("where"), names: measure_names(section) };
    let mut measures = Vec::with_capacity(declared.table.len());
    for (name, node) in declared.entries() {
        let measure =
            node.section(problems).and_then(|section| measure::measure(name, &section, &shared, problems));
        measures.extend(measure);
    }
    let complete = measures.len() == declared.table.len();
    if complete {
        check_ratios(&declared, &measures, problems);
    }
    (complete && !from_is_wrong).then_some(measures)
}

/// A ratio divides plain numbers: not amounts of several currencies, nor other ratios.
fn check_ratios(declared: &Section<'_>, measures: &[Measure], problems: &mut Problems) {
    for measure in measures {
        let Aggregator::Ratio { numerator, denominator } = measure.aggregator else { continue };
        for (n, place) in [numerator, denominator].into_iter().enumerate() {
            if !measures[place].aggregator.can_be_divided() {
                problems.add(
                    format!("{}.{}.ratio[{n}]", declared.path, measure.name),
                    "a ratio divides counts and sums of plain numbers",
                );
            }
        }
    }
}

/// The kept key sets; without any, the shop alone.
fn key_sets(
    section: &Section<'_>,
    measures: &[Measure],
    problems: &mut Problems,
) -> Option<Vec<Vec<Dimension>>> {
    let Some(node) = section.get("keys") else { return Some(vec![Vec::new()]) };
    let mut from: Vec<FactKind> = measures.iter().flat_map(|measure| measure.from.iter().copied()).collect();
    from.sort_unstable();
    from.dedup();
    let nodes = node.list(problems)?;
    if nodes.is_empty() || nodes.len() > KEY_SETS {
        problems.add(node.path, format!("name 1 to {KEY_SETS} key sets"));
        return None;
    }
    let mut sets: Vec<Vec<Dimension>> = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let set = key_set(node, &from, problems)?;
        let sorted = |set: &[Dimension]| {
            let mut set = set.to_vec();
            set.sort_unstable();
            set
        };
        if sets.iter().any(|other| sorted(other) == sorted(&set)) {
            problems.add(&node.path, "is there already");
        }
        sets.push(set);
    }
    Some(sets)
}

fn key_set(node: &Node<'_>, from: &[FactKind], problems: &mut Problems) -> Option<Vec<Dimension>> {
    let nodes = node.list(problems)?;
    if nodes.len() > DIMENSIONS {
        problems.add(&node.path, format!("a key has at most {DIMENSIONS} dimensions"));
        return None;
    }
    let mut set = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let Some(name) = node.text(problems) else { continue };
        match measure::dimension(&node.path, name, from, problems) {
            Some(dimension) if set.contains(&dimension) => problems.add(&node.path, "is there already"),
            Some(dimension) => set.push(dimension),
            None => {}
        }
    }
    Some(set)
}

/// The measures with a kept order: of keys that have something to order.
fn rank(
    section: &Section<'_>,
    names: &[&str],
    measures: Option<&[Measure]>,
    key_sets: Option<&[Vec<Dimension>]>,
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let Some(node) = section.get("rank") else { return Some(Vec::new()) };
    let nodes = node.list(problems)?;
    if !nodes.is_empty() && key_sets.is_some_and(|sets| sets.iter().all(Vec::is_empty)) {
        problems.add(&node.path, "needs keys to put in order");
    }
    let can_rank = |place: usize| measures.is_none_or(|measures| measures[place].aggregator.can_rank());
    let mut rank = Vec::with_capacity(names.len());
    for node in &nodes {
        match measure::place_of(node, names, problems) {
            Some(place) if rank.contains(&place) => problems.add(&node.path, "is there already"),
            Some(place) if !can_rank(place) => problems.add(&node.path, "a sketched measure keeps no order"),
            Some(place) => rank.push(place),
            None => {}
        }
    }
    Some(rank)
}
