//! Asks the server for every row of every metric, as any caller would, and compares.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use souk_proto::v1;
use souk_proto::v1::query_metric_request::Span;

use super::catalogue::{METRICS, Metric};
use super::rows::Rows;
use super::value::Value;
use super::window::Window;
use crate::limits;
use crate::measure::clock::{self, DAY};
use crate::souk::client::Analytics;

/// What the server answers.
#[derive(Debug, Default)]
pub struct Answered {
    pub rows: Rows,
    /// What answers wait for that are not complete, by their own word.
    pub held_by: BTreeSet<String>,
}

/// Every row the server answers, over all keys and windows.
pub async fn all_rows(analytics: &mut Analytics) -> Result<Answered> {
    let mut answered = Answered::default();
    for metric in METRICS {
        for dimensions in metric.keys {
            for window in metric.windows {
                ask(analytics, metric, dimensions, *window, &mut answered).await.with_context(|| {
                    format!("asking for metrics/{} by {dimensions:?} in {}", metric.name, window.name())
                })?;
            }
        }
    }
    Ok(answered)
}

/// What the server counts of one measure, by the values of these dimensions, over all windows of this name.
pub async fn counts(
    analytics: &mut Analytics,
    metric: &str,
    dimensions: &[&str],
    window: &str,
    measure: &str,
) -> Result<BTreeMap<String, i64>> {
    let known = METRICS.iter().find(|known| known.name == metric);
    let known = known.with_context(|| format!("no metric {metric}"))?;
    let window = known.windows.iter().find(|known| known.name() == window);
    let window = window.with_context(|| format!("{metric} has no such window"))?;
    let mut answered = Answered::default();
    ask(analytics, known, dimensions, *window, &mut answered).await?;
    let mut counts = BTreeMap::new();
    for (row, values) in &answered.rows.0 {
        if let Some(Value::Number(number)) = values.get(measure) {
            let key = row.key.values().cloned().collect::<Vec<_>>().join(" ");
            *counts.entry(key).or_default() += number;
        }
    }
    Ok(counts)
}

async fn ask(
    analytics: &mut Analytics,
    metric: &Metric,
    dimensions: &[&str],
    window: Window,
    answered: &mut Answered,
) -> Result<()> {
    let now = clock::now();
    let everything = v1::TimeRange {
        start_time: Some(clock::timestamp(now - 40 * DAY)),
        end_time: Some(clock::timestamp(now + DAY)),
    };
    let mut request = v1::QueryMetricRequest {
        name: format!("metrics/{}", metric.name),
        window: window.name().to_owned(),
        group_by: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        span: (window != Window::Total).then_some(Span::Range(everything)),
        page_size: limits::PAGE,
        read: Some(v1::ReadOptions {
            freshness: v1::read_options::Freshness::Latest.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    for _ in 0..limits::PAGES {
        let answer = analytics.query_metric(request.clone()).await?.into_inner();
        for row in &answer.rows {
            answered.rows.put_answered(metric.name, window.name(), row);
        }
        answered.held_by.extend(answer.info.map(|info| info.held_by).unwrap_or_default());
        if answer.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = answer.next_page_token;
    }
    bail!("the answer does not end")
}

/// How many metrics there are.
#[cfg(test)]
pub(super) fn metrics() -> usize {
    METRICS.len()
}
