//! Plain tables: two spaces between columns, figures at the right, nothing drawn, the same on a terminal and in a pipe.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use super::cell;

/// A column: its title, and where its value stands in a row, as `a.b`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) path: &'static str,
}

/// Makes columns of pairs.
pub(crate) const fn columns<const N: usize>(pairs: [(&'static str, &'static str); N]) -> [Column; N] {
    let mut columns = [Column { title: "", path: "" }; N];
    let mut n = 0;
    while n < N {
        columns[n] = Column { title: pairs[n].0, path: pairs[n].1 };
        n += 1;
    }
    columns
}

/// The value at a path.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, name| &value[name])
}

/// Rows of JSON as a table.
pub(crate) fn of_rows(columns: &[Column], rows: &[Value]) -> String {
    let titles = columns.iter().map(|column| column.title.to_owned()).collect();
    let cells = |row: &Value| columns.iter().map(|column| figure(at(row, column.path))).collect();
    of_cells(titles, rows.iter().map(cells).collect())
}

/// A cell, and whether it is a figure.
pub(crate) type Content = (String, bool);

fn figure(value: &Value) -> Content {
    (cell::text(value), cell::is_figure(value))
}

/// Cells as a table. A column with a figure in it stands at the right, with its title.
pub(crate) fn of_cells(titles: Vec<String>, rows: Vec<Vec<Content>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let right: Vec<bool> = (0..titles.len()).map(|n| rows.iter().any(|row| row[n].1)).collect();
    table.set_header(titles.into_iter().map(Cell::new));
    for row in rows {
        table.add_row(row.into_iter().map(|(text, _)| Cell::new(text)));
    }
    for (column, right) in table.column_iter_mut().zip(right) {
        column.set_padding((0, 2));
        if right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
