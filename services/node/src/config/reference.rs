//! The reference page, made from `default.toml`: `docs/configuration.md`. `souk config reference` prints it.

use super::{defaults, env};

const HEAD: &str = "# Configuration\n
Made by `souk config reference` from `services/node/default.toml`; a test compares it.\n
A value is looked for in this order: flag of `souk serve` or `souk dev`, environment variable, file given with `--config`, default.
`souk config show --origin` prints what is in force and where each value came from. Every problem is reported at once. A key of
the file that is not below is an error; an environment variable that starts with `SOUK__` and is not below is a warning; any other
variable (`SOUK_PORT` of an orchestrator) is left alone. Durations: `250ms`, `5s`, `30m`, `24h`, `7d`. Sizes: `512B`, `64KiB`,
`256MiB`, `16GiB`. Lists in the environment are separated by commas.\n";

/// The page.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut section = "";
    let mut comment = String::new();
    for line in defaults::TEXT.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            page +=
                &format!("\n## {section}\n| key | default | environment | meaning |\n|---|---|---|---|\n");
        } else if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some((key, value)) = line.split_once(" = ") {
            let variable = env::variable(&format!("{section}.{key}"));
            let meaning = comment.trim().replace('|', "\\|");
            page += &format!("| `{section}.{key}` | `{value}` | `{variable}` | {meaning} |\n");
        }
        if !line.starts_with('#') {
            comment.clear();
        }
    }
    page
}
