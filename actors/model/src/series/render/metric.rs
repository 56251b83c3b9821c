//! An entry of the catalogue, with calls ready to paste.

use souk_proto::v1;

use crate::metric::{Aggregator, Measure, Metric, Quantity};
use crate::settings::Settings;

/// Rows an example asks for.
const TOP: usize = 3;

impl Metric {
    /// The public resource. `settings` are those that declare it; when counting began and how many series there are its caller knows.
    pub fn to_proto(&self, settings: &Settings) -> v1::Metric {
        let key_set = |set: &Vec<_>| v1::KeySet { dimensions: names(set) };
        v1::Metric {
            name: format!("metrics/{}", self.name),
            title: self.title.clone(),
            keys: self.key_sets.iter().map(key_set).collect(),
            windows: self.windows.iter().map(ToString::to_string).collect(),
            measures: self.measures.iter().enumerate().map(|(place, of)| self.measure(place, of)).collect(),
            count_start_time: None,
            series_count: None,
            definition: settings.definition(&self.name).unwrap_or_default(),
            examples: self.examples(),
        }
    }

    fn measure(&self, place: usize, measure: &Measure) -> v1::Measure {
        v1::Measure {
            name: measure.name.clone(),
            aggregator: measure.aggregator.name().to_owned(),
            unit: unit(measure.aggregator).to_owned(),
            ranked: self.rank.contains(&place),
        }
    }

    /// What it is now, the first rows by its first order, and what changes in it.
    fn examples(&self) -> Vec<String> {
        let name = format!(r#""name":"metrics/{}""#, self.name);
        let keyed = self.key_sets.iter().find(|set| !set.is_empty());
        let by = keyed.map(|set| format!(r#""group_by":{:?}"#, names(set)));
        let ranked = self.rank.first().and_then(|place| self.measures.get(*place));
        let top = ranked.map(|measure| format!(r#""top":{{"n":{TOP},"measure":"{}"}}"#, measure.name));
        let mut examples = vec![call("QueryMetric", &format!("{{{name}}}"))];
        if let Some(by) = &by {
            let top = top.map(|top| format!(",{top}")).unwrap_or_default();
            examples.push(call("QueryMetric", &format!("{{{name},{by}{top}}}")));
        }
        examples.push(call("WatchMetric", &format!(r#"{{"queries":[{{{name}}}]}}"#)));
        examples
    }
}

fn names(set: &[crate::metric::Dimension]) -> Vec<String> {
    set.iter().map(|dimension| dimension.name().into_owned()).collect()
}

fn call(method: &str, body: &str) -> String {
    format!("grpcurl -plaintext -d '{body}' HOST:PORT souk.v1.AnalyticsService/{method}")
}

fn unit(aggregator: Aggregator) -> &'static str {
    match aggregator.quantity() {
        Some(quantity) if quantity.is_money() => "money",
        Some(Quantity::Duration) => "ms",
        Some(Quantity::Distance) => "m",
        _ => "",
    }
}
