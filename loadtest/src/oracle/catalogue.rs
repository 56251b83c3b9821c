//! The built-in metrics, as their declarations tell every caller (`ListMetrics`, field `definition`).

use super::window::Window;
use crate::measure::clock::{DAY, HOUR, MINUTE, SECOND};

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static [&'static str]],
    pub(super) windows: &'static [Window],
    pub(super) measures: &'static [Measure],
}

#[derive(Debug)]
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) how: How,
    pub(super) from: &'static [&'static str],
    /// Types of transactions that count; empty: all.
    pub(super) types: &'static [&'static str],
}

#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Count,
    Sum(&'static str),
    Money(&'static str),
    Mean(&'static str),
    MeanMoney(&'static str),
    People,
    /// In hundredths.
    Quantile(&'static str, usize),
    Ratio(&'static str, &'static str),
}

const fn measure(name: &'static str, how: How, from: &'static [&'static str]) -> Measure {
    Measure { name, how, from, types: &[] }
}

const SALES: &[&str] = &["purchase", "refund"];

const fn sale(name: &'static str, how: How, types: &'static [&'static str]) -> Measure {
    Measure { name, how, from: &["transaction"], types }
}

const ALL: &[&str] = &[];
const SECONDS: Window = Window::Tumbling("1s", SECOND);
const ONE_MINUTE: Window = Window::Tumbling("1m", MINUTE);
const FIVE_MINUTES: Window = Window::Tumbling("5m", 5 * MINUTE);
const HOURS: Window = Window::Tumbling("1h", HOUR);
const DAYS: Window = Window::Tumbling("day", DAY);
const DEFAULT: &[Window] = &[FIVE_MINUTES, HOURS, DAYS];

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "active_users",
        keys: &[ALL],
        windows: &[
            Window::Sliding { name: "5m/1s", size: 5 * MINUTE, step: SECOND },
            Window::Sliding { name: "5m/1m", size: 5 * MINUTE, step: MINUTE },
            Window::Sliding { name: "30m/1m", size: 30 * MINUTE, step: MINUTE },
        ],
        measures: &[measure("users", How::People, &["page_view"])],
    },
    Metric {
        name: "products",
        keys: &[&["product"], &["category"], ALL],
        windows: &[HOURS, ONE_MINUTE, FIVE_MINUTES, DAYS, Window::Total],
        measures: &[
            measure("views", How::Count, &["product_view"]),
            measure("adds", How::Count, &["cart_add"]),
            measure("purchases", How::Count, &["order_line"]),
            measure("units", How::Sum("quantity"), &["order_line", "refund_line"]),
            measure("revenue", How::Money("amount"), &["order_line", "refund_line"]),
        ],
    },
    Metric {
        name: "compat_top_products",
        keys: &[&["product"]],
        windows: &[HOURS],
        measures: &[measure("amount", How::Money("amount"), &["cart_add"])],
    },
    Metric {
        name: "abandoned_carts",
        keys: &[ALL, &["stage"]],
        windows: &[Window::Total, HOURS, DAYS],
        measures: &[
            measure("carts", How::Count, &["cart_abandoned"]),
            measure("value", How::Money("amount"), &["cart_abandoned"]),
            measure("recovered", How::Count, &["cart_recovered"]),
            measure("recovery", How::Ratio("recovered", "carts"), &[]),
        ],
    },
    Metric {
        name: "sales",
        keys: &[&["category"], ALL],
        windows: &[Window::Total, DAYS, Window::Month],
        measures: &[
            sale("net", How::Money("amount"), SALES),
            sale("gross", How::Money("amount"), &["purchase"]),
            sale("records", How::Count, SALES),
        ],
    },
    Metric {
        name: "compat_sales",
        keys: &[&["category"], ALL],
        windows: &[Window::Total, DAYS, Window::Month],
        measures: &[sale("total_sales", How::Sum("minor_units_unsigned"), ALL)],
    },
    Metric {
        name: "region_trips",
        keys: &[&["region"]],
        windows: &[ONE_MINUTE, HOURS],
        measures: &[
            measure("trips", How::Count, &["trip"]),
            measure("avg_fare", How::MeanMoney("fare"), &["trip"]),
            measure("total_fare", How::Money("fare"), &["trip"]),
            measure("total_distance", How::Sum("distance"), &["trip"]),
            measure("avg_duration", How::Mean("duration"), &["trip"]),
            measure("p50_duration", How::Quantile("duration", 50), &["trip"]),
            measure("p95_duration", How::Quantile("duration", 95), &["trip"]),
            measure("p99_duration", How::Quantile("duration", 99), &["trip"]),
        ],
    },
    Metric {
        name: "events",
        keys: &[ALL, &["kind"]],
        windows: &[SECONDS, ONE_MINUTE],
        measures: &[measure("events", How::Count, &["event"])],
    },
    Metric {
        name: "visits",
        keys: &[ALL, &["session.referrer"], &["session.campaign"]],
        windows: DEFAULT,
        measures: &[
            measure("sessions", How::Count, &["session_started"]),
            measure("orders", How::Count, &["order_placed"]),
            measure("revenue", How::Money("amount"), &["order_placed", "refund"]),
            measure("conversion", How::Ratio("orders", "sessions"), &[]),
        ],
    },
    Metric {
        name: "pages",
        keys: &[&["page"]],
        windows: DEFAULT,
        measures: &[
            measure("views", How::Count, &["page_view"]),
            measure("users", How::People, &["page_view"]),
        ],
    },
    Metric {
        name: "journeys",
        keys: &[&["step_from", "step_to"]],
        windows: DEFAULT,
        measures: &[measure("steps", How::Count, &["journey_step"])],
    },
];
