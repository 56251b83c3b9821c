//! The settings of a seed: a few metrics out of many, over windows that fit its pace.

use std::fmt::Write as _;

use souk_model::time::{HOUR, MINUTE, SECOND};
use souk_sim::rng::Rng;

use crate::shape::Shape;

/// Every kind of fact once: what carts, orders and sessions come to.
const FACTS: &str = r#"
adds      = { count = true, from = "cart_add" }
added     = { sum = "amount", from = "cart_add" }
removes   = { count = true, from = "cart_remove" }
removed   = { sum = "quantity", from = "cart_remove" }
abandoned = { count = true, from = "cart_abandoned" }
left      = { sum = "amount", from = "cart_abandoned" }
recovered = { count = true, from = "cart_recovered" }
saved     = { sum = "amount", from = "cart_recovered" }
checkouts = { count = true, from = "checkout_started" }
asked     = { sum = "amount", from = "checkout_started" }
placed    = { count = true, from = "order_placed" }
lines     = { sum = "quantity", from = ["order_line", "refund_line"] }
revenue   = { sum = "amount", from = ["order_placed", "refund"] }
refunds   = { count = true, from = "refund" }
started   = { count = true, from = "session_started" }
ended     = { count = true, from = "session_ended" }
pages     = { sum = "pages", from = "session_ended" }
stayed    = { mean = "duration", from = "session_ended" }
recovery  = { ratio = ["recovered", "abandoned"] }
"#;

/// Name, what stands before its measures, and the measures.
const METRICS: [(&str, &str, &str); 12] = [
    ("facts", "", FACTS),
    (
        "facts_by_user",
        "keys = [[\"user\"], [\"session.referrer\"], [\"session.campaign\", \"source\"]]",
        FACTS,
    ),
    (
        "active",
        "from = \"page_view\"\nkeys = [[], [\"page\"], [\"device\", \"referrer\"]]",
        "users = { distinct = \"user\" }\nviews = { count = true }\npages = { distinct = \"page\", exact_to = 3 }",
    ),
    (
        "goods",
        "keys = [[\"product\"], [\"category\", \"brand\"]]",
        "adds = { count = true, from = \"cart_add\" }\nsold = { sum = \"quantity\", from = [\"order_line\", \"refund_line\"] }\n\
         money = { sum = \"amount\", from = [\"order_line\", \"refund_line\"] }\nmean = { mean = \"amount\", from = \"order_line\" }\n\
         dear = { max = \"amount\", from = \"cart_add\" }\ncheap = { min = \"amount\", from = \"cart_add\" }\n\
         views = { count = true, from = \"product_view\" }\nbuyers = { distinct = \"user\", from = \"order_line\" }",
    ),
    (
        "abandoned",
        "keys = [[], [\"stage\"], [\"user\"]]",
        "carts = { count = true, from = \"cart_abandoned\" }\nvalue = { sum = \"amount\", from = \"cart_abandoned\" }\n\
         back = { count = true, from = \"cart_recovered\" }",
    ),
    (
        "sales",
        "from = \"transaction\"\nwhere = { type = [\"purchase\", \"refund\"] }\nkeys = [[\"location\"], [\"category\", \"merchant\"]]",
        "net = { sum = \"amount\" }\nn = { count = true }\nmiddle = { quantile = \"amount\", q = 0.5, exact_to = 4 }\n\
         big = { max = \"amount\", where = { type = \"purchase\" } }\nall = { sum = \"minor_units_unsigned\" }",
    ),
    (
        "trips",
        "from = \"trip\"\nkeys = [[\"region\"], [\"vehicle_type\"]]",
        "n = { count = true }\nfare = { mean = \"fare\" }\np50 = { quantile = \"duration\", q = 0.5, exact_to = 5 }\n\
         p95 = { quantile = \"distance\", q = 0.95 }\nfar = { max = \"distance\" }\nnear = { min = \"distance\" }",
    ),
    (
        "steps",
        "from = \"journey_step\"\nkeys = [[\"step_from\", \"step_to\"]]",
        "n = { count = true }\nwho = { distinct = \"user\" }",
    ),
    (
        "visits",
        "keys = [[\"session.referrer\"], [\"session.campaign\"]]",
        "n = { count = true, from = \"session_started\" }\nviews = { count = true, from = \"page_view\" }",
    ),
    (
        "events",
        "from = \"event\"\nkeys = [[\"kind\"], [\"label.color\"], [\"source\", \"device\"]]",
        "n = { count = true }\nwho = { distinct = \"user\" }\nkinds = { distinct = \"kind\" }",
    ),
    (
        "words",
        "keys = [[], [\"query\"]]",
        "n = { count = true, from = \"search\" }\nwho = { distinct = \"user\", from = \"search\" }",
    ),
    (
        "stars",
        "from = \"review\"\nkeys = [[\"product\"], [\"user\"]]",
        "n = { count = true }\nmean = { mean = \"rating\" }\nbest = { max = \"rating\" }",
    ),
];

/// Defaults that are the same for every seed.
const REST: &str = ", currency = \"EUR\", max_keys = 1000, windows = [\"5m\"]";

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"];

/// The parts settings are put together from; a change draws some of them anew.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    fold: String,
    defaults: String,
    metrics: Vec<(&'static str, String)>,
    /// Metrics not declared now, with their texts.
    spare: Vec<(&'static str, String)>,
    history: bool,
}

impl Catalogue {
    pub(crate) fn draw(shape: &Shape, rng: &mut Rng) -> Self {
        let mut metrics: Vec<_> = METRICS.iter().map(|parts| (parts.0, metric(shape, rng, *parts))).collect();
        for at in (1..metrics.len()).rev() {
            metrics.swap(at, rng.index(at + 1));
        }
        let spare = metrics.split_off(rng.between(2, 6) as usize);
        let (fold, defaults) = (fold(shape, rng), defaults(shape, rng));
        Self { fold, defaults, metrics, spare, history: shape.history }
    }

    pub(crate) fn text(&self) -> String {
        let mut text =
            format!("format = 1\nfold = {{ {} }}\ndefaults = {{ {} }}\n", self.fold, self.defaults);
        for (_, metric) in &self.metrics {
            text.push_str(metric);
        }
        text
    }

    /// A lawful change: other timeouts, a metric less, a metric more: one that was there before, or the name of one with another meaning.
    pub(crate) fn change(&mut self, shape: &Shape, rng: &mut Rng) {
        if rng.one_in(2) && !self.history {
            self.fold = fold(shape, rng);
        }
        if rng.one_in(2) && self.metrics.len() > 1 {
            let removed = self.metrics.remove(rng.index(self.metrics.len()));
            if rng.one_in(2) {
                let again = METRICS.into_iter().filter(|parts| parts.0 == removed.0);
                let changed: Vec<_> = again.map(|parts| (parts.0, metric(shape, rng, parts))).collect();
                let at = if rng.one_in(2) { self.spare.len() } else { 0 };
                self.spare.splice(at..at, if rng.one_in(2) { vec![removed] } else { changed });
            }
        }
        if rng.one_in(2)
            && let Some(spare) = self.spare.pop()
        {
            self.metrics.push(spare);
        }
    }
}

fn span(millis: i64) -> String {
    if millis % MINUTE == 0 { format!("{}m", millis / MINUTE) } else { format!("{}s", millis / SECOND) }
}

fn fold(shape: &Shape, rng: &mut Rng) -> String {
    let stale = span(rng.between(60, 200) * shape.beat); // at least a minute is lawful
    let timeout = span((rng.between(10, 60) * shape.beat).min(HOUR));
    let mut beats = |low, high| span(rng.between(low, high) * shape.beat);
    let mut text = format!(
        "abandon_after = \"{}\", session_gap = \"{}\", order_timeout = \"{}\", stale_stock_after = \"{}\"",
        beats(2, 30),
        beats(1, 20),
        timeout,
        stale,
    );
    let (low, drop) = (rng.between(0, 6), [5, 10, 33][rng.index(3)]);
    let _infallible = write!(text, ", low_stock_below = {low}, price_drop = \"{drop}%\"");
    let charges = ["tax = \"0%\", shipping = \"0 EUR\"", "tax = \"8.25%\", shipping = \"4.90 EUR\""];
    let _infallible = write!(text, ", {}", charges[rng.index(2)]);
    if shape.history {
        text.push_str(", clock = \"history\"");
    }
    text
}

fn defaults(shape: &Shape, rng: &mut Rng) -> String {
    let lateness = [0, SECOND, 5 * SECOND, shape.beat][rng.index(4)];
    let correct_for = [shape.beat * 5, HOUR, 24 * HOUR][rng.index(3)];
    let (lateness, correct_for, zone) = (span(lateness), span(correct_for), zone(rng));
    format!(
        "lateness = \"{lateness}\", correct_for = \"{correct_for}\", keep = \"9d\", time_zone = \"{zone}\"{REST}"
    )
}

fn zone(rng: &mut Rng) -> &'static str {
    ZONES[rng.index(ZONES.len())]
}

/// A metric with its own windows, and some with a zone, bounds and patience of their own.
fn metric(shape: &Shape, rng: &mut Rng, (name, head, measures): (&str, &str, &str)) -> String {
    let mut text = format!("[metric.{name}]\n{head}\nwindows = [{}]\n", windows(shape, rng));
    if rng.one_in(3) {
        let _infallible = writeln!(text, "max_keys = {}", rng.between(1, 4));
    }
    if rng.one_in(3) {
        let _infallible = writeln!(text, "time_zone = \"{}\"", zone(rng));
    }
    if rng.one_in(4) {
        let _infallible =
            writeln!(text, "lateness = \"{}\"", span((rng.between(0, 20) * shape.beat).min(HOUR)));
    }
    if rng.one_in(4) {
        let _infallible = writeln!(text, "correct_for = \"{}\"", span(rng.between(0, 100) * shape.beat));
    }
    text + &format!("[metric.{name}.measures]\n{measures}\n")
}

fn windows(shape: &Shape, rng: &mut Rng) -> String {
    let beat = shape.beat;
    let sliding = |size: i64, step: i64| format!("{}/{}", span(size * step * beat), span(step * beat));
    let mut all = vec![
        "total".to_owned(),
        "day".to_owned(),
        "week".to_owned(),
        "month".to_owned(),
        span(rng.between(1, 29) * beat),
        span(rng.between(30, 200) * beat),
        sliding(rng.between(2, 6), rng.between(5, 40)),
    ];
    let mut chosen: Vec<String> = Vec::new();
    for _ in 0..rng.between(1, 3) {
        chosen.push(format!("\"{}\"", all.swap_remove(rng.index(all.len()))));
    }
    chosen.join(", ")
}
