//! Style that a machine can see: sizes of files and functions. Small files are how a newcomer finds the room for a line.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file without its tests. Above it, it holds two nouns.
const FILE_LINES: usize = 500;
/// Lines of a function: a screen.
const FUNCTION_LINES: usize = 80;

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of the repository").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !matches!(name.to_str(), Some("tests" | "target" | ".git" | "fuzz")) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The file up to its test module.
fn body(text: &str) -> Vec<&str> {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect()
}

fn is_function(line: &str) -> bool {
    let code = line.trim_start();
    let code = code.strip_prefix("pub ").or_else(|| code.strip_prefix("pub(super) ")).unwrap_or(code);
    let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
    code.strip_prefix("const ").unwrap_or(code).starts_with("fn ")
}

#[test]
fn files_and_functions_fit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["proto", "actors", "services", "loadtest"] {
        sources(&root.join(folder), &mut files);
    }
    let mut too_long = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("source is text");
        let lines = body(&text);
        if lines.len() > FILE_LINES {
            too_long.push(format!("{}: {} lines", file.display(), lines.len()));
        }
        for (start, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = lines[start..]
                .iter()
                .position(|l| l.strip_prefix(indent).is_some_and(|l| l.starts_with('}')));
            if let Some(length) = end.filter(|length| *length > FUNCTION_LINES) {
                too_long.push(format!("{}:{}: {length} lines", file.display(), start + 1));
            }
        }
    }
    assert!(too_long.is_empty(), "too long:\n{}", too_long.join("\n"));
}
