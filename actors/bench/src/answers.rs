//! A products shard's series, as several users shards fill them, and questions for one key of them.

use anyhow::Context as _;
use prost::Message as _;
use souk_model::planted::Planted;
use souk_model::series::{Query, SeriesBook, Shown, Span};
use souk_model::settings::{Settings, parse_window};
use souk_model::tally::TallyBatch;
use souk_proto::v1;
use souk_proto::wire::field::QUERY_METRIC_RESPONSE_ROWS;

/// Users shards of a node as it comes.
const SOURCES: u16 = 8;
/// Products of the mix that is measured.
const PRODUCTS: u64 = 1_000;
const METRIC: &str = "products";

#[derive(Debug)]
pub(crate) struct Answers {
    settings: Settings,
    series: SeriesBook,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let settings = Settings::builtin();
        let mut series = SeriesBook::new(&settings, SOURCES, Planted::default());
        series.rows_mut().set_empty_store();
        Self { settings, series }
    }

    /// Every source says the same: the cost is that of their number.
    pub(crate) fn receive(&mut self, batches: &[TallyBatch]) {
        for source in 0..SOURCES {
            batches.iter().for_each(|batch| self.series.receive(source, batch.clone()));
        }
    }

    /// One source says something.
    pub(crate) fn hear(&mut self, batches: Vec<TallyBatch>) {
        batches.into_iter().for_each(|batch| self.series.receive(0, batch));
    }

    /// Asks for one product after the other, and encodes each answer as a reader gets it.
    pub(crate) fn ask(&self, count: u64) -> anyhow::Result<()> {
        let metric = self.settings.metric(METRIC).context("a metric of every shop")?;
        for n in 0..count {
            let query = Query {
                shop: "main".to_owned(),
                metric: METRIC.to_owned(),
                key_set: 0,
                window: parse_window("total"),
                key: Some(vec![format!("product-{:012}", n % PRODUCTS)]),
                given: Vec::new(),
                span: Span::Newest,
                closed_only: false,
                top: None,
            };
            let answer = self.series.query(&query)?;
            anyhow::ensure!(answer.rows.len() == 1, "a product that is viewed has a row");
            let info = answer.info_to_proto(metric, false);
            let head = v1::QueryMetricResponse { info: Some(info), ..Default::default() };
            let mut bytes = head.encode_to_vec();
            let shown = Shown { skip: 0, most: 1, ranked: false };
            answer.encode_rows(metric, shown, QUERY_METRIC_RESPONSE_ROWS, &mut bytes);
            std::hint::black_box(bytes);
        }
        Ok(())
    }
}
