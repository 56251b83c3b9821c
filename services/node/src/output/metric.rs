//! Rows of a metric as a table, with a last line that says what they are worth.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{NOTHING, clock, date, grouped, is_time, money, text};
use super::table::{Content, of_cells};

/// An answer of QueryMetric.
pub(crate) fn of_answer(answer: &Value) -> String {
    let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let worth = worth(rows, &answer["info"]);
    if rows.is_empty() {
        return format!("no rows: nothing was counted\n{worth}\n");
    }
    let ranked = rows.iter().any(|row| row.get("rank").is_some());
    let windows: BTreeSet<_> = rows.iter().filter_map(|row| row["range"]["startTime"].as_str()).collect();
    let keys = names(rows, "key");
    let measures = names(rows, "values");

    let mut titles = Vec::new();
    titles.extend(ranked.then(|| "#".to_owned()));
    titles.extend((windows.len() > 1).then(|| "window".to_owned()));
    titles.extend(keys.iter().cloned());
    titles.extend(measures.iter().cloned());
    let cells = |row: &Value| {
        let mut cells: Vec<Content> = Vec::new();
        cells.extend(ranked.then(|| (row["rank"].to_string(), false)));
        cells.extend((windows.len() > 1).then(|| (span(&row["range"]), false)));
        cells.extend(keys.iter().map(|key| (row["key"][key].as_str().unwrap_or(NOTHING).to_owned(), false)));
        cells.extend(measures.iter().map(|name| (value(&row["values"][name]), true)));
        cells
    };
    format!("{}{worth}\n", of_cells(titles, rows.iter().map(cells).collect()))
}

/// A row on one line, as a watch prints it.
pub(crate) fn of_row(row: &Value) -> String {
    let keys = row["key"].as_object().into_iter().flatten();
    let values = row["values"].as_object().into_iter().flatten();
    let keys = keys.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    let values = values.map(|(name, of)| format!("{name} {}", value(of)));
    let parts: Vec<_> = keys.chain(values).collect();
    format!("{}  {}  {}", row["window"].as_str().unwrap_or_default(), span(&row["range"]), parts.join("  "))
}

/// Names below a field over all rows, in order.
fn names(rows: &[Value], field: &str) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row[field].as_object()).flat_map(|fields| fields.keys().cloned()).collect()
}

/// A measure's value.
pub(crate) fn value(value: &Value) -> String {
    if let Some(integer) = value["integer"].as_str() {
        return grouped(integer);
    }
    if let Some(fraction) = value["fraction"]["approximate"].as_f64() {
        return format!("{fraction:.3}");
    }
    let amounts: Vec<_> = value["amounts"].as_array().into_iter().flatten().map(money).collect();
    if amounts.is_empty() { NOTHING.to_owned() } else { amounts.join(" + ") }
}

/// A range, with days only where they are needed: `10:00–10:05 UTC`.
fn span(range: &Value) -> String {
    let (Some(start), end) = (range["startTime"].as_str(), range["endTime"].as_str()) else {
        return NOTHING.to_owned();
    };
    let Some(end) = end else { return format!("since {} {} UTC", date(start), clock(start)) };
    let midnight = |time: &str| clock(time) == "00:00:00";
    if date(start) == date(end) {
        format!("{}–{} UTC", minutes(start), minutes(end))
    } else if midnight(start) && midnight(end) {
        format!("{} to {} UTC", date(start), date(end))
    } else {
        format!("{} {}–{} {} UTC", date(start), minutes(start), date(end), minutes(end))
    }
}

/// The time of day without seconds that are none.
fn minutes(time: &str) -> &str {
    let clock = clock(time);
    clock.strip_suffix(":00").unwrap_or(clock)
}

/// `window 5m, 10:00–10:05 UTC · as of 10:02:41 · provisional · exact`.
fn worth(rows: &[Value], info: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(row) = rows.last() {
        parts.push(format!("window {}, {}", row["window"].as_str().unwrap_or_default(), span(&row["range"])));
    }
    match info["asOf"].as_str() {
        Some(time) if is_time(time) => parts.push(format!("as of {}", clock(time))),
        _ => parts.push("nothing reported yet".to_owned()),
    }
    parts.extend((info["provisional"] == true).then(|| "provisional".to_owned()));
    match info["exactness"].as_str() {
        Some("EXACTNESS_EXACT") => parts.push("exact".to_owned()),
        Some("EXACTNESS_SKETCHED") => {
            let bound = info["errorBound"].as_f64().unwrap_or_default() * 100.0;
            parts.push(format!("sketched, within {bound:.1} %"));
        }
        _ => {}
    }
    if info["complete"] == false {
        let held: Vec<_> =
            info["heldBy"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        parts.push(format!("not complete: waits for {}", held.join(", ")));
    }
    if info.get("age").is_some() {
        parts.push(format!("no owner answers: {} old", text(&info["age"])));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_and_what_they_are_worth() {
        let range = json!({"startTime": "2026-11-21T10:00:00Z", "endTime": "2026-11-21T10:05:00Z"});
        let row = |rank: u32, query: &str, n: &str| {
            json!({"rank": rank, "key": {"query": query}, "window": "5m", "range": range,
                   "values": {"searches": {"integer": n}}})
        };
        let answer = json!({
            "rows": [row(1, "blue mug", "41"), row(2, "teapot", "1700")],
            "info": {"asOf": "2026-11-21T10:02:41.350Z", "complete": true, "provisional": true, "exactness": "EXACTNESS_EXACT"}
        });
        let expected = "\
#  query     searches
1  blue mug        41
2  teapot       1,700
window 5m, 10:00–10:05 UTC · as of 10:02:41 · provisional · exact
";
        assert_eq!(of_answer(&answer), expected);
    }

    #[test]
    fn no_rows_are_said_to_be_none() {
        assert_eq!(of_answer(&json!({"info": {}})), "no rows: nothing was counted\nnothing reported yet\n");
    }
}
