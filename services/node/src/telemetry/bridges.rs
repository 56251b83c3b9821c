//! Series of bridges on the metrics page, by the topic each reads.

use std::fmt;

use souk_journal_kafka::BridgeCounts;

use super::series::{Labels, Page};

pub(super) fn encode(bridges: &[(String, BridgeCounts)], page: &mut Page<'_>) -> fmt::Result {
    if bridges.is_empty() {
        return Ok(());
    }
    let of = |topic: &str| -> Labels { vec![("topic", topic.to_owned())] };
    type Counter = (&'static str, &'static str, fn(&BridgeCounts) -> u64);
    let counters: [Counter; 5] = [
        ("bridge_records_consumed", "Messages of others read", |counts| counts.read),
        ("bridge_records_appended", "Messages of others appended to the journals", |counts| counts.appended),
        ("bridge_records_duplicate", "Messages this node had read before, and that count once", |counts| {
            counts.repeated
        }),
        ("bridge_dlq_records", "Messages set aside in the bridge's dead-letter topic", |counts| {
            counts.dead_letters
        }),
        ("bridge_restarts", "Times a bridge ended by itself and began again", |counts| counts.ended),
    ];
    for (name, help, value) in counters {
        let series: Vec<_> = bridges.iter().map(|(topic, counts)| (of(topic), value(counts))).collect();
        page.counters(name, help, &series)?;
    }
    let members = bridges.iter().map(|(topic, counts)| (of(topic), f64::from(u8::from(counts.is_member))));
    page.gauges("bridge_up", "1 while this node has its part of the topic", &members.collect::<Vec<_>>())?;
    let lags = bridges.iter().filter_map(|(topic, counts)| Some((of(topic), counts.lag? as f64)));
    page.gauges(
        "bridge_records_lag",
        "Messages that wait in this node's part of the topic",
        &lags.collect::<Vec<_>>(),
    )
}
