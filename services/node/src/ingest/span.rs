//! Spans of time, as people read them.

/// A span of milliseconds in its two largest units: `12 d 4 h`.
pub(super) fn span(millis: i64) -> String {
    let seconds = millis.unsigned_abs() / 1_000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(parts.len() - 1);
    let shown = parts[first..].iter().take(2).filter(|(count, unit)| *count > 0 || *unit == "s");
    shown.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_in_their_two_largest_units() {
        for (millis, text) in
            [(0, "0 s"), (61_000, "1 min 1 s"), (90_061_000, "1 d 1 h"), (86_400_000, "1 d")]
        {
            assert_eq!(span(millis), text);
        }
    }
}
