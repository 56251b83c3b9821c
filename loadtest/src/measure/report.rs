//! The report: one table of figures with their bars, what an oracle found wrong, and a line of JSON per figure for programs.

use std::process::ExitCode;

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::limits;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtMost(bar) => value <= bar,
            Self::AtLeast(bar) => value >= bar,
        }
    }
}

/// One thing measured.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub figure: f64,
    pub unit: &'static str,
    pub bar: Option<Bar>,
    /// Absent: nothing to reach.
    pub reached: Option<bool>,
}

/// What one command found.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
    wrong: Vec<String>,
    wrong_in_all: usize,
}

impl Report {
    /// A figure without a bar.
    pub fn note(&mut self, name: impl Into<String>, figure: f64, unit: &'static str) {
        self.figures.push(Figure { name: name.into(), figure, unit, bar: None, reached: None });
    }

    pub fn measure(&mut self, name: impl Into<String>, figure: f64, unit: &'static str, bar: Bar) {
        let reached = Some(bar.reached(figure));
        self.figures.push(Figure { name: name.into(), figure, unit, bar: Some(bar), reached });
    }

    /// An oracle was violated: the run has failed, however fast it was.
    pub fn violate(&mut self, what: impl Into<String>) {
        self.wrong_in_all += 1;
        if self.wrong.len() < limits::SHOWN {
            self.wrong.push(what.into());
        }
    }

    pub fn violations(&self) -> usize {
        self.wrong_in_all
    }

    pub fn print(&self, json: bool) {
        if json {
            for figure in &self.figures {
                println!("{}", serde_json::to_string(figure).expect("numbers and texts are JSON"));
            }
        } else {
            println!("{}", self.table());
        }
        for what in &self.wrong {
            println!("WRONG: {what}");
        }
        if self.wrong_in_all > self.wrong.len() {
            println!("WRONG: and {} more", self.wrong_in_all - self.wrong.len());
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["what", "figure", "unit", "bar", "reached"]);
        for figure in &self.figures {
            let bar = match figure.bar {
                None => String::new(),
                Some(Bar::AtMost(bar)) => format!("<= {}", number(bar)),
                Some(Bar::AtLeast(bar)) => format!(">= {}", number(bar)),
            };
            let reached = match figure.reached {
                None => "",
                Some(true) => "yes",
                Some(false) => "NO",
            };
            table.add_row([
                Cell::new(&figure.name),
                Cell::new(number(figure.figure)).set_alignment(CellAlignment::Right),
                Cell::new(figure.unit),
                Cell::new(bar).set_alignment(CellAlignment::Right),
                Cell::new(reached),
            ]);
        }
        table
    }

    /// Fails when an oracle was violated; for a bar that was missed only when asked to be strict.
    pub fn exit(&self, strict: bool) -> ExitCode {
        let missed = self.figures.iter().any(|figure| figure.reached == Some(false));
        if self.wrong_in_all > 0 || (strict && missed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Three digits that matter, thousands set apart.
fn number(value: f64) -> String {
    if value.abs() < 1_000.0 {
        let text = format!("{value:.3}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!(number(0.5), "0.5");
        assert_eq!(number(12.0), "12");
        assert_eq!(number(999.9994), "999.999");
        assert_eq!(number(250_000.4), "250,000");
        assert_eq!(number(-1_234_567.0), "-1,234,567");
    }

    #[test]
    fn a_missed_bar_fails_only_when_strict_and_a_wrong_answer_always() {
        let mut report = Report::default();
        report.measure("slow", 20.0, "ms", Bar::AtMost(15.0));
        report.measure("fast", 300.0, "1/s", Bar::AtLeast(250.0));
        assert_eq!(report.exit(false), ExitCode::SUCCESS);
        assert_eq!(report.exit(true), ExitCode::FAILURE);
        report.violate("sold twice");
        assert_eq!(report.exit(false), ExitCode::FAILURE);
    }
}
