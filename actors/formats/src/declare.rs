//! Reading a declaration: TOML in, a format or everything that is wrong with it out.

use std::fmt;

use souk_model::money::Currency;
use souk_model::settings::nearest;
use toml::{Table as Toml, Value};

use crate::draft::{KIND_PARTS, LABEL_PLACES};
use crate::field::{FIELDS, Field};
use crate::format::{Format, Kinds};
use crate::kind::Kind;
use crate::limits::{DECLARATION_BYTES, LABELS, PATH_STEPS};
use crate::scan::{Table, To};
use crate::time::Unit;

/// One thing that is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Where in the declaration.
    pub at: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

const SECTIONS: [&str; 10] =
    ["currency", "amounts", "time", "distance", "unknown", "needs", "kind", "fields", "lines", "labels"];

pub(crate) fn read(name: &str, declaration: &str) -> Result<Format, Vec<Problem>> {
    let problem = |message: String| vec![Problem { at: String::new(), message }];
    if declaration.len() > DECLARATION_BYTES {
        return Err(problem(format!("a declaration is at most {DECLARATION_BYTES} bytes")));
    }
    let root: Toml = declaration.parse().map_err(|error: toml::de::Error| problem(error.to_string()))?;
    let mut reader = Reader { problems: Vec::new() };
    let format = reader.format(name, declaration, &root);
    if reader.problems.is_empty() { Ok(format) } else { Err(reader.problems) }
}

/// Notes what is wrong and goes on, so that one pass finds every problem.
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn add(&mut self, at: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), message: message.into() });
    }

    fn unknown<'n>(&mut self, at: &str, name: &str, known: impl Iterator<Item = &'n str>) {
        let message = match nearest(name, known.collect::<Vec<_>>()) {
            Some(near) => format!("there is no {name:?}; did you mean {near:?}?"),
            None => format!("there is no {name:?}"),
        };
        self.add(at, message);
    }

    fn format(&mut self, name: &str, text: &str, root: &Toml) -> Format {
        for key in root.keys().filter(|key| !SECTIONS.contains(&key.as_str())) {
            self.unknown("", key, SECTIONS.into_iter());
        }
        let mut table = Table::new(self.one_of(root, "unknown", ["ignored", "refused"]) == "refused");
        let kinds = self.kinds(root, &mut table);
        let paths = self.fields(root, "fields", &mut table);
        let (lines, line_paths) = self.lines(root, &mut table, &paths);
        let labels = self.labels(root, &mut table);
        let time = self.one_of(root, "time", ["iso", "s", "ms", "us"]);
        let mut all = paths;
        if let Some((path, _)) = &lines {
            all[Field::Lines.place()].clone_from(path);
        }
        Format {
            name: name.to_owned(),
            text_hash: xxhash_rust::xxh3::xxh3_64(text.as_bytes()),
            table,
            lines: lines.map(|(_, table)| table),
            needs: self.needs(root, &all),
            paths: all,
            line_paths,
            labels,
            kinds,
            time: Unit::parse(time).unwrap_or(Unit::Millis),
            writes_iso: time == "iso",
            currency: self.currency(root),
            rounds: self.one_of(root, "amounts", ["exact", "rounded"]) == "rounded",
            in_kilometers: self.one_of(root, "distance", ["km", "m"]) == "km",
        }
    }

    /// A word of a list; the first where nothing is said.
    fn one_of<const N: usize>(&mut self, root: &Toml, key: &str, words: [&'static str; N]) -> &'static str {
        match root.get(key) {
            None => words[0],
            Some(value) => match words.into_iter().find(|word| value.as_str() == Some(word)) {
                Some(word) => word,
                None => {
                    self.add(key, format!("must be one of {}", words.join(", ")));
                    words[0]
                }
            },
        }
    }

    fn currency(&mut self, root: &Toml) -> Currency {
        let code = root.get("currency").map_or(Some("USD"), Value::as_str);
        code.and_then(Currency::parse).unwrap_or_else(|| {
            self.add("currency", "must be an ISO 4217 code, such as EUR");
            Currency::parse("USD").expect("it is one")
        })
    }

    fn needs(&mut self, root: &Toml, paths: &[String; FIELDS]) -> Vec<Field> {
        let mut needs = Vec::new();
        for name in self.texts(root.get("needs"), "needs") {
            match Field::parse(&name) {
                Some(field) if paths[field.place()].is_empty() => {
                    self.add("needs", format!("{name} has no path"));
                }
                Some(field) => needs.push(field),
                None => self.unknown("needs", &name, Field::ALL.iter().map(|field| field.name())),
            }
        }
        needs
    }

    /// A text, or a list of them; nothing where there is nothing.
    fn texts(&mut self, value: Option<&Value>, at: &str) -> Vec<String> {
        let found = match value {
            None => return Vec::new(),
            Some(Value::String(text)) => return vec![text.clone()],
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            Some(_) => None,
        };
        found.unwrap_or_else(|| {
            self.add(at, "must be a text or a list of texts");
            Vec::new()
        })
    }

    fn section<'t>(&mut self, root: &'t Toml, key: &str) -> Option<&'t Toml> {
        let section = root.get(key)?;
        if section.as_table().is_none() {
            self.add(key, "must be a table");
        }
        section.as_table()
    }

    fn kinds(&mut self, root: &Toml, table: &mut Table) -> Kinds {
        let mut kinds = Kinds::default();
        let Some(section) = self.section(root, "kind") else {
            self.add("kind", "is missing: say how a message tells what happened");
            return kinds;
        };
        for key in section.keys().filter(|key| !["path", "values", "unsaid", "other"].contains(&key.as_str()))
        {
            self.unknown("kind", key, ["path", "values", "unsaid", "other"].into_iter());
        }
        kinds.paths = self.texts(section.get("path"), "kind.path");
        if kinds.paths.len() > KIND_PARTS {
            self.add("kind.path", format!("at most {KIND_PARTS} paths"));
            kinds.paths.truncate(KIND_PARTS);
        }
        for (part, path) in kinds.paths.clone().into_iter().enumerate() {
            self.put(table, &path, (FIELDS + part, true), "kind.path");
        }
        kinds.unsaid = self.kind(section.get("unsaid"), "kind.unsaid");
        kinds.other = self.kind(section.get("other"), "kind.other");
        for (name, value) in self.section(section, "values").into_iter().flatten() {
            let at = format!("kind.values.{name:?}");
            let Some(kind) = self.kind(Some(&Value::String(name.clone())), &at) else { continue };
            for said in self.texts(Some(value), &at) {
                kinds.written.entry(kind).or_insert_with(|| said.clone());
                if kinds.values.contains_key(&said) {
                    self.add(&at, format!("{said:?} stands for two kinds"));
                }
                kinds.values.insert(said, kind);
            }
        }
        if kinds.unsaid.is_none()
            && (kinds.paths.is_empty() || (kinds.values.is_empty() && kinds.other.is_none()))
        {
            self.add("kind", "name a path and its values, or what a message is that says nothing (`unsaid`)");
        }
        kinds
    }

    fn kind(&mut self, value: Option<&Value>, at: &str) -> Option<Kind> {
        let name = self.texts(value, at).into_iter().next()?;
        let kind = Kind::parse(&name);
        if kind.is_none() {
            self.unknown(at, &name, Kind::names());
        }
        kind
    }

    /// Paths of fields, the first of each.
    fn fields(&mut self, root: &Toml, key: &str, table: &mut Table) -> [String; FIELDS] {
        let mut paths = [const { String::new() }; FIELDS];
        let Some(section) = self.section(root, key) else { return paths };
        let is_line = key == "lines";
        let may = |field: &Field| if is_line { field.is_of_a_line() } else { *field != Field::Lines };
        for (name, value) in section.iter().filter(|(name, _)| !(is_line && *name == "path")) {
            let at = format!("{key}.{name}");
            let Some(field) = Field::parse(name).filter(may) else {
                self.unknown(
                    key,
                    name,
                    Field::ALL.iter().filter(|field| may(field)).map(|field| field.name()),
                );
                continue;
            };
            for path in self.texts(Some(value), &at) {
                let first = paths[field.place()].is_empty();
                self.put(table, &path, (field.place(), first), &at);
                if first {
                    paths[field.place()] = path;
                }
            }
        }
        paths
    }

    fn lines(
        &mut self,
        root: &Toml,
        table: &mut Table,
        paths: &[String; FIELDS],
    ) -> (Option<(String, Table)>, [String; FIELDS]) {
        let Some(section) = self.section(root, "lines") else {
            return (None, [const { String::new() }; FIELDS]);
        };
        let path = self.texts(section.get("path"), "lines.path").into_iter().next();
        let Some(path) = path else {
            self.add("lines.path", "is missing: say where the list of lines stands");
            return (None, paths.clone());
        };
        self.put(table, &path, (Field::Lines.place(), true), "lines.path");
        let mut within = Table::new(table.is_closed());
        let line_paths = self.fields(root, "lines", &mut within);
        (Some((path, within)), line_paths)
    }

    fn labels(&mut self, root: &Toml, table: &mut Table) -> Vec<(String, String)> {
        let mut labels = Vec::new();
        for (name, value) in self.section(root, "labels").into_iter().flatten() {
            let at = format!("labels.{name}");
            if labels.len() == LABELS {
                self.add(&at, format!("at most {LABELS} labels"));
                break;
            }
            for path in self.texts(Some(value), &at).into_iter().take(1) {
                self.put(table, &path, (LABEL_PLACES + labels.len(), true), &at);
                labels.push((name.clone(), path));
            }
        }
        labels
    }

    /// Puts a path into the table of a message.
    fn put(&mut self, table: &mut Table, path: &str, (place, first): (usize, bool), at: &str) {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > PATH_STEPS || steps.iter().any(|step| step.is_empty()) {
            return self.add(at, format!("{path:?} is no path: 1 to {PATH_STEPS} names joined by points"));
        }
        let closed = table.is_closed();
        let mut table = table;
        for step in &steps[..steps.len() - 1] {
            let within = || To::Object(Table::new(closed));
            match table.entry(step, within) {
                To::Object(within) => table = within,
                To::Value(..) => return self.add(at, format!("{step:?} is declared as a value elsewhere")),
            }
        }
        let last = steps[steps.len() - 1];
        if table.find(last).is_some() {
            return self.add(at, format!("{path:?} is declared twice"));
        }
        table.entry(last, || To::Value(place, first));
    }
}
