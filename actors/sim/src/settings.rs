//! Settings the simulated shop runs by: short timeouts and small windows, so that a few virtual minutes see every one of them close.

use crate::rng::Rng;

/// In force from the first record.
pub const INITIAL: &str = r#"format   = 1
fold     = { abandon_after = "20s", session_gap = "15s", order_timeout = "30s", low_stock_below = 4, stale_stock_after = "1h", price_drop = "10%", tax = "19%", shipping = "4.90 EUR" }
defaults = { currency = "EUR", time_zone = "UTC", lateness = "2s", correct_for = "1h", keep = "8d", max_keys = 1000, windows = ["10s", "1m"] }
[metric.active_users]
from     = "page_view"
windows  = ["1m/10s", "10s"]
measures = { users = { distinct = "user" } }
[metric.products]
keys     = [["product"], ["category"], []]
windows  = ["1m", "total"]
rank     = ["revenue", "units"]
[metric.products.measures]
views     = { count = true, from = "product_view" }
adds      = { count = true, from = "cart_add" }
purchases = { count = true, from = "order_line" }
units     = { sum = "quantity", from = ["order_line", "refund_line"] }
revenue   = { sum = "amount", from = ["order_line", "refund_line"] }
[metric.abandoned_carts]
keys     = [[], ["stage"]]
windows  = ["total", "1m"]
[metric.abandoned_carts.measures]
carts     = { count = true, from = "cart_abandoned" }
value     = { sum = "amount", from = "cart_abandoned" }
recovered = { count = true, from = "cart_recovered" }
recovery  = { ratio = ["recovered", "carts"] }
[metric.sales]
from     = "transaction"
where    = { type = ["purchase", "refund"] }
keys     = [["category"], []]
windows  = ["total", "day"]
measures = { net = { sum = "amount" }, records = { count = true } }
[metric.region_trips]
from     = "trip"
keys     = [["region"]]
windows  = ["1m"]
lateness = "5s"
[metric.region_trips.measures]
trips        = { count = true }
avg_fare     = { mean = "fare" }
p50_duration = { quantile = "duration", q = 0.50, exact_to = 64 }
[metric.events]
from     = "event"
keys     = [[], ["kind"]]
windows  = ["10s", "total"]
measures = { events = { count = true } }
[metric.visits]
keys     = [[], ["session.referrer"]]
[metric.visits.measures]
sessions   = { count = true, from = "session_started" }
ended      = { count = true, from = "session_ended" }
orders     = { count = true, from = "order_placed" }
revenue    = { sum = "amount", from = ["order_placed", "refund"] }
"#;

/// Names the metric of a change goes by in turn.
const JOURNEYS: u32 = 3;

/// A lawful change of them: other timeouts, and one metric more under a name that may have stood for something else before.
pub fn version(version: u32, rng: &mut Rng) -> String {
    let abandon_after = format!("abandon_after = \"{}s\"", rng.between(10, 40));
    let text = INITIAL.replace("abandon_after = \"20s\"", &abandon_after);
    let name = version % JOURNEYS;
    let keys = ["[\"step_from\", \"step_to\"]", "[\"step_to\"]"][rng.index(2)];
    format!(
        "{text}[metric.journeys_{name}]\nfrom = \"journey_step\"\nkeys = [{keys}]\nmeasures = {{ steps = {{ count = true }} }}\n"
    )
}
