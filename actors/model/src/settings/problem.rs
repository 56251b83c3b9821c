//! What is wrong with a settings text: every problem at once, each with the path of its key.

use std::fmt;

use crate::limits::SETTINGS_PROBLEMS;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key, such as `metric.sales.rank[1]`; empty for the text as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// The nearest known name, where an unknown one stands.
    pub near: Option<String>,
}

/// Everything wrong with a settings text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Lines(.0))]
pub struct SettingsErrors(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Collects problems while a text is walked; the first [`SETTINGS_PROBLEMS`] are kept.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Problem { path: path.into(), message: message.into(), near: None });
    }

    /// An unknown name, with the nearest of those known.
    pub(super) fn unknown<'n>(
        &mut self,
        path: impl Into<String>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let near = nearest(name, known).map(str::to_owned);
        self.push(Problem {
            path: path.into(),
            message: format!("{what} `{}` is not known", shown(name)),
            near,
        });
    }

    fn push(&mut self, problem: Problem) {
        if self.0.len() < SETTINGS_PROBLEMS {
            self.0.push(problem);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_errors(self) -> SettingsErrors {
        SettingsErrors(self.0)
    }
}

/// The characters of a name or value a message repeats, so that no text makes a message without end.
const SHOWN_CHARS: usize = 64;

/// A name or value as a message repeats it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect()
}

/// The known name nearest to `name`, if near enough to be meant: at most a third of its characters differ, or two.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name: Vec<char> = name.chars().take(SHOWN_CHARS).collect();
    let reach = (name.len() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (edit_distance(&name, candidate), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and replacements of one character.
fn edit_distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (line, right) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (place, left) in a.iter().enumerate() {
            let replaced = diagonal + usize::from(*left != right);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[a.len()]
}
