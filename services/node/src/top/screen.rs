//! Draws a state into a buffer, whatever its size: numbers first, machine last. No colours: bold and reversed at most.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table, Widget, Wrap};
use serde_json::Value;

use super::numbers::{Numbers, Query, amount, measure, number};
use super::state::{Freshness, Mode, State};
use crate::output::cell::{NOTHING, clock};

/// Below this width the panels stand on top of each other, and tables keep their first columns.
const WIDE: u16 = 64;

const HELP: &str = "\
/      show only products and referrers that hold these letters
Esc    show all again
p      hold the numbers, and let them go again
?      this page
q      leave

Numbers are the node's own, pushed as they change: events of the last
closed second, people of the last 5 minutes, the rest of this hour, carts
left behind of this day. A window that is open may still change.";

pub(super) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    header(state, head, buffer);
    match state.mode {
        Mode::Help => Paragraph::new(HELP).wrap(Wrap { trim: false }).render(body, buffer),
        _ => numbers(state, body, buffer),
    }
    footer(state, foot, buffer);
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn header(state: &State, area: Rect, buffer: &mut Buffer) {
    let freshness = match state.freshness() {
        Freshness::Waiting => "waiting",
        Freshness::Live if state.is_held() => "held",
        Freshness::Live => "live",
        Freshness::Stale => "STALE",
    };
    let left = format!("souk {}  {}  {freshness}", env!("CARGO_PKG_VERSION"), state.address);
    let right = as_of(state);
    Paragraph::new(left.as_str()).style(bold()).render(area, buffer);
    let room = usize::from(area.width).saturating_sub(left.chars().count() + 2);
    if right.chars().count() <= room {
        Paragraph::new(right).alignment(Alignment::Right).render(area, buffer);
    }
}

fn as_of(state: &State) -> String {
    let Some(time) = &state.numbers().as_of else { return "nothing reported yet".to_owned() };
    let silence = state.silence.unwrap_or_default();
    match state.freshness() {
        Freshness::Live => format!("as of {}", clock(time)),
        _ => format!("as of {} (nothing heard for {})", clock(time), seconds(silence)),
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

fn footer(state: &State, area: Rect, buffer: &mut Buffer) {
    let text = match (state.mode, &state.trouble) {
        (Mode::Filter, _) => format!("/{}_   Enter: keep   Esc: all", state.filter),
        (_, Some(trouble)) => trouble.clone(),
        _ if !state.filter.is_empty() => format!("/{}   Esc: all   p hold   ? help   q leave", state.filter),
        _ => "/ filter   p hold   ? help   q leave".to_owned(),
    };
    Paragraph::new(text).render(area, buffer);
}

fn numbers(state: &State, area: Rect, buffer: &mut Buffer) {
    let shown = state.numbers();
    let lines = headline(shown, area.width >= WIDE);
    let [top, body, machine] =
        Layout::vertical([Constraint::Length(lines.len() as u16), Constraint::Min(0), Constraint::Length(1)])
            .spacing(u16::from(area.height > 8))
            .areas(area);
    Paragraph::new(lines).style(bold()).render(top, buffer);
    if area.width >= WIDE {
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(58), Constraint::Min(0)]).spacing(2).areas(body);
        products(state, left, buffer);
        let [carts_area, referrers_area] =
            Layout::vertical([Constraint::Length(2), Constraint::Min(0)]).spacing(1).areas(right);
        carts(shown, carts_area, buffer);
        referrers(state, referrers_area, buffer);
    } else {
        products(state, body, buffer);
    }
    Paragraph::new(shards(shown)).render(machine, buffer);
}

fn or_nothing(text: Option<String>) -> String {
    text.unwrap_or_else(|| NOTHING.to_owned())
}

/// Revenue has a line of its own: it may come in several currencies.
fn headline(shown: &Numbers, is_wide: bool) -> Vec<Line<'static>> {
    let of = |query, name| or_nothing(shown.measure(query, name));
    let traffic =
        format!("events/s {}   people 5m {}", of(Query::Events, "events"), of(Query::People, "users"));
    let conversion = or_nothing(shown.percent(Query::Visits, "conversion"));
    let orders = format!("orders 1h {}   conv {conversion}", of(Query::Visits, "orders"));
    let revenue = format!("revenue 1h {}", of(Query::Visits, "revenue"));
    let lines = match is_wide {
        true => vec![format!("{traffic}   {orders}"), revenue],
        false => vec![traffic, orders, revenue],
    };
    lines.into_iter().map(Line::from).collect()
}

/// Rows whose key holds the filter's letters.
fn filtered<'n>(state: &'n State, query: Query, dimension: &str) -> Vec<(&'n str, &'n Value)> {
    let wanted = state.filter.to_lowercase();
    let rows = state.numbers().rows(query).into_iter();
    let named = rows.filter_map(|row| Some((row["key"][dimension].as_str()?, &row["values"])));
    named.filter(|(name, _)| name.to_lowercase().contains(&wanted)).collect()
}

fn products(state: &State, area: Rect, buffer: &mut Buffer) {
    let wide = area.width >= 60;
    let columns: &[(&str, &str, u16)] = match wide {
        true => {
            &[("revenue", "revenue", 16), ("units", "units", 8), ("views", "views", 8), ("adds", "adds", 8)]
        }
        false => &[("revenue", "revenue", 14), ("units", "units", 7), ("views", "views", 7)],
    };
    let rows = filtered(state, Query::Products, "product");
    let rows = rows.into_iter().map(|(name, values)| {
        let cells = columns.iter().map(|(measured, ..)| match *measured {
            "revenue" => amount(&values["revenue"]),
            name => measure(&values[name]),
        });
        (name.to_owned(), cells.collect())
    });
    let titles: Vec<(&str, u16)> = columns.iter().map(|(_, title, width)| (*title, *width)).collect();
    table("TOP PRODUCTS 1h", &titles, rows.collect(), area, buffer);
}

fn referrers(state: &State, area: Rect, buffer: &mut Buffer) {
    let rows = filtered(state, Query::Referrers, "session.referrer");
    let cells = |values: &Value| ["sessions", "orders"].map(|name| measure(&values[name])).into();
    let rows = rows.into_iter().map(|(name, values)| (name.to_owned(), cells(values)));
    table("REFERRERS 1h", &[("visits", 8), ("orders", 7)], rows.collect(), area, buffer);
}

fn carts(shown: &Numbers, area: Rect, buffer: &mut Buffer) {
    let of = |name| or_nothing(shown.measure(Query::Carts, name));
    let lines = vec![
        Line::styled(format!("CARTS LEFT today {}   back {}", of("carts"), of("recovered")), bold()),
        Line::raw(of("value")),
    ];
    Paragraph::new(lines).render(area, buffer);
}

/// A title with its columns, figures at the right.
fn table(
    title: &str,
    columns: &[(&str, u16)],
    rows: Vec<(String, Vec<String>)>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let right = |text: String| Cell::new(Line::from(text).alignment(Alignment::Right));
    let titles = columns.iter().map(|(title, _)| right((*title).to_owned()));
    let header = Row::new(std::iter::once(Cell::new(title.to_owned())).chain(titles)).style(bold());
    let is_empty = rows.is_empty();
    let rows = rows
        .into_iter()
        .map(|(name, cells)| Row::new(std::iter::once(Cell::new(name)).chain(cells.into_iter().map(right))));
    let rows: Vec<Row<'_>> = if is_empty { vec![Row::new([NOTHING])] } else { rows.collect() };
    let widths = std::iter::once(Constraint::Min(8))
        .chain(columns.iter().map(|(_, width)| Constraint::Length(*width)));
    Widget::render(Table::new(rows, widths).header(header), area, buffer);
}

fn shards(shown: &Numbers) -> String {
    let Some(shards) = shown.shards else { return format!("SHARDS {NOTHING}") };
    let cut = shards.oldest_cut.map_or_else(|| NOTHING.to_owned(), |age| format!("{age} s"));
    let held = if shown.held_by.is_empty() { "none".to_owned() } else { shown.held_by.join(", ") };
    let others = match shards.others {
        0 => String::new(),
        others => format!(", {others} not"),
    };
    format!(
        "SHARDS {} serving{others}   lag {}   oldest cut {cut}   held back: {held}",
        shards.serving,
        number(shards.lag)
    )
}

/// The screen as lines of text, for where there is no terminal.
pub(super) fn plain(state: &State, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(state, area, &mut buffer);
    let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    // The last line is about keys.
    let lines: Vec<String> = (0..height - 1).map(|y| line(y).trim_end().to_owned()).collect();
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        let is_gap = line.is_empty() && lines[n..].iter().take(2).all(String::is_empty);
        if !is_gap {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests;
