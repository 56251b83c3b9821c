//! What applying settings would change, and whether it may: an entry's meaning never changes under its name, because what
//! was counted under the old meaning cannot be told from what is counted under the new one.

use crate::metric::{Dimension, Metric};
use crate::settings::Settings;
use crate::settings::problem::{Problems, SettingsErrors};
use crate::settings::view::Views;

impl Settings {
    /// Says line by line what these settings change in `old`, entries first; errs where an entry would mean something else.
    pub fn changes_from(&self, old: &Settings) -> Result<Vec<String>, SettingsErrors> {
        let mut problems = Problems::default();
        let mut changes = Vec::new();
        for (metric, views) in self.metrics.iter().zip(&self.views) {
            let before = old.metrics.iter().zip(&old.views).find(|(other, _)| other.name == metric.name);
            match before {
                None => changes.push(format!("+ {}", summary(metric))),
                Some(before) => changes.extend(changed_metric((metric, views), before, &mut problems)),
            }
        }
        for gone in
            old.metrics.iter().filter(|other| self.metrics.iter().all(|metric| metric.name != other.name))
        {
            changes.push(format!("- {}", gone.name));
        }
        self.changed_histories(old, &mut changes, &mut problems);
        self.changed_fold(old, &mut changes, &mut problems);
        if problems.is_empty() { Ok(changes) } else { Err(problems.into_errors()) }
    }

    fn changed_histories(&self, old: &Settings, changes: &mut Vec<String>, problems: &mut Problems) {
        for table in &self.history {
            match old.history.iter().find(|other| other.name == table.name) {
                None => changes.push(format!("+ history {} from {}", table.name, table.from.name())),
                Some(before) if before != table => {
                    problems
                        .add(format!("history.{}", table.name), "would mean something else: use a new name");
                }
                Some(_) => {}
            }
        }
        for gone in
            old.history.iter().filter(|other| self.history.iter().all(|table| table.name != other.name))
        {
            changes.push(format!("- history {}", gone.name));
        }
    }

    fn changed_fold(&self, old: &Settings, changes: &mut Vec<String>, problems: &mut Problems) {
        let (new, old) = (&self.fold, &old.fold);
        if new.clock != old.clock {
            problems.add("fold.clock", "is fixed for the life of a journal");
        }
        let differs = [
            ("defaults.currency", new.currency != old.currency),
            ("defaults.lateness", new.lateness != old.lateness),
            ("fold.abandon_after", new.abandon_after != old.abandon_after),
            ("fold.session_gap", new.session_gap != old.session_gap),
            ("fold.order_timeout", new.order_timeout != old.order_timeout),
            ("fold.low_stock_below", new.low_stock_below != old.low_stock_below),
            ("fold.stale_stock_after", new.stale_stock_after != old.stale_stock_after),
            ("fold.price_drop", new.price_drop_basis_points != old.price_drop_basis_points),
            ("fold.tax", new.tax_basis_points != old.tax_basis_points),
            ("fold.shipping", new.shipping != old.shipping),
        ];
        changes
            .extend(differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| format!("~ {key}")));
    }
}

/// One line of what may change in a metric; a problem for each thing that may not.
fn changed_metric(
    (new, new_views): (&Metric, &Views),
    (old, old_views): (&Metric, &Views),
    problems: &mut Problems,
) -> Option<String> {
    let fixed = [
        ("keys", new.key_sets != old.key_sets),
        ("windows", new.windows != old.windows),
        ("measures", new.measures != old.measures),
        ("rank", new.rank != old.rank),
        ("lateness", new.lateness != old.lateness),
        ("correct_for", new.correct_for != old.correct_for),
        ("max_keys", new.max_keys != old.max_keys),
        ("time_zone", new.time_zone != old.time_zone),
    ];
    for (key, _) in fixed.iter().filter(|(_, differs)| *differs) {
        problems
            .add(format!("metric.{}.{key}", new.name), "would change what this name means: use a new name");
    }
    let free = [
        ("title", new.title != old.title),
        ("keep", new.keep != old.keep),
        ("redis", new_views.redis != old_views.redis),
        ("table", new_views.tables != old_views.tables),
    ];
    let changed: Vec<&str> = free.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect();
    (!changed.is_empty()).then(|| format!("~ {} · {}", new.name, changed.join(", ")))
}

/// A new metric in one line: its keys, windows and orders.
fn summary(metric: &Metric) -> String {
    let list = |items: Vec<String>| items.join(", ");
    let mut line = metric.name.clone();
    let keys: Vec<String> =
        metric.key_sets.iter().filter(|set| !set.is_empty()).map(|set| key_text(set)).collect();
    if !keys.is_empty() {
        line.push_str(&format!(" · by {}", list(keys)));
    }
    line.push_str(&format!(" · windows {}", list(metric.windows.iter().map(ToString::to_string).collect())));
    let ranked = metric.rank.iter().map(|place| metric.measures[*place].name.clone()).collect::<Vec<_>>();
    if !ranked.is_empty() {
        line.push_str(&format!(" · rank {}", list(ranked)));
    }
    line
}

fn key_text(set: &[Dimension]) -> String {
    set.iter().map(Dimension::name).collect::<Vec<_>>().join(" + ")
}
