//! Settings: the metric catalogue, timeouts and rates, as TOML in a Settings record, compiled once. SEMANTICS.md section 11.
//!
//! The way of a text: [`Settings::layered`] renders the built-in settings with a user's laid over them, a Settings record
//! carries that text, [`Settings::parse`] compiles it in every fold. All that is wrong is said at once.

mod change;
mod fold;
mod layer;
mod literal;
mod measure;
mod metric;
mod node;
mod problem;
#[cfg(test)]
mod tests;
pub mod view;

pub use fold::{Clock, FoldSettings};
pub use layer::BUILTIN;
pub use problem::{Problem, SettingsErrors, nearest};

use souk_proto::journal::v1 as journal;
use toml::Table;
use xxhash_rust::xxh3::xxh3_64;

use crate::fact::FactKind;
use crate::limits::METRICS;
use crate::metric::{Metric, Window};
use crate::settings::fold::Defaults;
use crate::settings::node::Section;
use crate::settings::problem::Problems;
use crate::settings::view::{History, Views};
use crate::time::Millis;

/// The form of the text this build reads.
const FORMAT: i64 = 1;

/// Settings in force: everything the fold may be configured by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// xxh3-64 of the TOML text.
    pub hash: u64,
    /// The text itself, for cuts and `settings show`.
    pub text: String,
    pub fold: FoldSettings,
    /// By name.
    pub metrics: Vec<Metric>,
    /// Where each of `metrics` is published, by its place.
    pub views: Vec<Views>,
    /// Records kept as rows.
    pub history: Vec<History>,
    /// Places in `metrics` of those that read a kind of fact, by `FactKind as usize`.
    pub readers: Vec<Vec<usize>>,
    /// The largest `lateness + correct_for`: events older than this below high water are LATE.
    pub horizon: Millis,
}

impl Settings {
    /// Compiles a whole settings text, as a Settings record carries it: nothing is filled in but `order_timeout` and `clock`.
    pub fn parse(text: &str) -> Result<Self, SettingsErrors> {
        let table = layer::table(text)?;
        let mut problems = Problems::default();
        let compiled = compile(&Section::root(&table), &mut problems);
        match compiled {
            Some(compiled) if problems.is_empty() => Ok(compiled.with_text(text.to_owned())),
            _ => Err(problems.into_errors()),
        }
    }

    /// The built-in settings with `user` laid over them: `[fold]` and `[defaults]` key by key, metrics and histories
    /// added, or changed key by key where the name is there already. The text is canonical.
    pub fn layered(user: &str) -> Result<Self, SettingsErrors> {
        Self::parse(&layer::layered(user)?)
    }

    /// The settings without a user's. Compiles them anew: keep the answer.
    pub fn builtin() -> Self {
        Self::layered("").expect("the built-in settings are part of the build and tested")
    }

    /// The body of a Settings record that puts these in force.
    pub fn record(&self, revision: u64) -> journal::Settings {
        journal::Settings { hash: self.hash, body: self.text.clone(), revision }
    }

    /// Metrics that read this kind of fact.
    pub fn readers_of(&self, kind: FactKind) -> &[usize] {
        &self.readers[kind as usize]
    }

    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// A metric's declaration, as TOML.
    pub fn definition(&self, name: &str) -> Option<String> {
        layer::metric_entry(&self.text, name)
    }

    /// The known metric a wrong name was most likely meant for.
    pub fn nearest_metric(&self, name: &str) -> Option<&str> {
        problem::nearest(name, self.metrics.iter().map(|metric| metric.name.as_str()))
    }

    fn with_text(mut self, text: String) -> Self {
        self.hash = hash_of(&text);
        self.text = text;
        self
    }
}

/// Reads a window as the settings write it: `total`, `day`, `5m`, `5m/1m`.
pub fn parse_window(text: &str) -> Option<Window> {
    literal::window(text).ok()
}

/// What stands for a settings text in records, manifests and tallies.
pub fn hash_of(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// Compiles a text's table; its text and hash are the caller's to set.
fn compile(root: &Section<'_>, problems: &mut Problems) -> Option<Settings> {
    root.only(&["format", "fold", "defaults", "history", "metric"], problems);
    let format = root.need("format", problems).and_then(|node| node.integer(FORMAT, FORMAT, problems));
    let defaults = root.need("defaults", problems).and_then(|node| node.section(problems));
    let defaults = defaults.and_then(|section| fold::defaults(&section, problems));
    let fold = root.need("fold", problems).and_then(|node| node.section(problems));
    let fold = fold.and_then(|section| fold::fold(&section, defaults.as_ref(), problems));
    let history = root.get("history").and_then(|node| node.section(problems));
    let history = history.map(|section| view::history(&section, problems)).unwrap_or_default();
    let metrics = root.get("metric").and_then(|node| node.section(problems));
    let metrics = metrics.map(|section| section.table);
    let (metrics, views) = catalogue(root, metrics, defaults.as_ref(), problems);
    let (defaults, fold, _) = (defaults?, fold?, format?);
    let longest = metrics.iter().map(|metric| metric.lateness + metric.correct_for).max();
    Some(Settings {
        hash: 0,
        text: String::new(),
        fold,
        readers: readers(&metrics),
        metrics,
        views,
        history,
        horizon: longest.unwrap_or(defaults.lateness + defaults.correct_for),
    })
}

/// Every entry of `[metric]`, by name. Without valid defaults they are checked against stand-ins: what is then compiled is
/// never used, but their own problems are found.
fn catalogue(
    root: &Section<'_>,
    table: Option<&Table>,
    defaults: Option<&Defaults>,
    problems: &mut Problems,
) -> (Vec<Metric>, Vec<Views>) {
    let Some(table) = table else { return Default::default() };
    let section = Section { path: root.path_of("metric"), table };
    if table.len() > METRICS {
        problems.add(&section.path, format!("at most {METRICS} metrics"));
        return Default::default();
    }
    let stand_in = Defaults::stand_in();
    let defaults = defaults.unwrap_or(&stand_in);
    let mut compiled = Vec::with_capacity(table.len());
    for (name, node) in section.entries() {
        let Some(section) = node.section(problems) else { continue };
        compiled.extend(metric::metric(name, &section, defaults, problems));
    }
    compiled.into_iter().unzip()
}

/// Places of the metrics that read each kind of fact.
fn readers(metrics: &[Metric]) -> Vec<Vec<usize>> {
    let reads = |metric: &Metric, kind| metric.measures.iter().any(|measure| measure.from.contains(&kind));
    let readers_of = |kind| (0..metrics.len()).filter(|place| reads(&metrics[*place], kind)).collect();
    FactKind::ALL.into_iter().map(|(kind, _)| readers_of(kind)).collect()
}
