//! How far it is, on stderr: a bar with rate and time left where a person looks at it, one line at the end everywhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::output::cell::grouped;

#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    lines: u64,
}

impl Progress {
    /// `size` is the file's, if it has one.
    pub(super) fn begin(size: Option<u64>) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr_with_hz(5)),
            false => ProgressBar::hidden(),
        };
        let template = match size {
            Some(_) => "{bar:32} {percent:>3} % · {msg} · {eta} left",
            None => "{spinner} {msg} · {elapsed}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates are constants"));
        Self { bar, began: Instant::now(), lines: 0 }
    }

    /// So many lines more, so many bytes in all.
    pub(super) fn advance(&mut self, lines: usize, bytes: u64) {
        self.lines += lines as u64;
        if !self.bar.is_hidden() {
            self.bar.set_position(bytes);
            self.bar.set_message(format!("{} lines · {}/s", number(self.lines), number(self.rate())));
        }
    }

    /// Takes the bar away and says what it was.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
        eprintln!("{}", said(self.lines, self.began.elapsed()));
    }

    fn rate(&self) -> u64 {
        rate(self.lines, self.began.elapsed())
    }
}

fn rate(lines: u64, time: Duration) -> u64 {
    (lines as f64 / time.as_secs_f64().max(0.001)) as u64
}

/// `1,000,000 lines · 61,200/s · 16 s`.
fn said(lines: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let took = if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") };
    format!("{} lines · {}/s · {took}", number(lines), number(rate(lines, time)))
}

fn number(value: u64) -> String {
    grouped(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_many_how_fast_how_long() {
        assert_eq!(said(1_000_000, Duration::from_millis(16_340)), "1,000,000 lines · 61,199/s · 16 s");
        assert_eq!(said(3, Duration::from_millis(120)), "3 lines · 25/s · 0.1 s");
    }
}
