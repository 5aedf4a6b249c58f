use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use stack::sweep::Method;

use super::{
    args::{Color, Scan},
    host::{Echo, Row, State},
    template::Template,
};

/// How a host is told to people: columns on a terminal, TAB-separated elsewhere, or as -F has it.
pub(super) struct View {
    template: Option<Template>,
    method: Method,
    names: bool,
    aligned: bool,
    coloured: bool,
}

impl View {
    pub(super) fn new(args: &Scan, method: Method) -> Self {
        let out = io::stdout();
        let coloured = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(&out) != ColorChoice::Never,
        };
        let template = args.format.clone();
        Self { template, method, names: args.resolve, aligned: out.is_terminal(), coloured }
    }

    pub(super) fn line(&self, row: &Row) -> String {
        match &self.template {
            Some(template) => template.fill(row),
            None => self.columns(row),
        }
    }

    fn columns(&self, row: &Row) -> String {
        let is_gone = row.state == State::Gone;
        let mut cells = vec![
            Cell { text: row.addr.to_string(), width: 15, style: Style::new().bold() },
            Cell { text: row.mac_text(), width: 17, style: Style::new() },
            Cell { text: row.vendor_text(), width: 28, style: Style::new() },
        ];
        if self.names {
            let text = row.name.clone().unwrap_or_else(|| "-".into());
            cells.push(Cell { text, width: 28, style: Style::new() });
        }
        let none = || "-".to_owned();
        if self.method != Method::Echo {
            let text = format!("arp {}", row.arp_text().unwrap_or_else(none));
            cells.push(Cell { text, width: 14, style: Style::new() });
        }
        if self.method != Method::Arp {
            let ttl = row.ttl().map_or_else(String::new, |ttl| format!(" ttl {ttl}"));
            let text = format!("echo {}{ttl}", row.echo_text().unwrap_or_else(none));
            let mute = matches!(row.echo, Echo::Silent | Echo::Error(_)) && !is_gone;
            let style = if mute { AnsiColor::Yellow.on_default() } else { Style::new() };
            cells.push(Cell { text, width: 23, style });
        }
        cells.extend(row.notes().into_iter().map(|text| Cell {
            style: style(&text),
            text,
            width: 0,
        }));
        let last = cells.len() - 1;
        let shown = cells.iter().enumerate().map(|(n, cell)| self.cell(cell, n == last));
        shown.collect::<Vec<_>>().join(if self.aligned { "  " } else { "\t" })
    }

    fn cell(&self, cell: &Cell, is_last: bool) -> String {
        let Cell { text, width, style } = cell;
        let width = if self.aligned && !is_last { *width } else { 0 };
        let fill = " ".repeat(width.saturating_sub(text.chars().count()));
        if self.coloured && *style != Style::new() {
            return format!("{style}{text}{style:#}{fill}");
        }
        format!("{text}{fill}")
    }
}

struct Cell {
    text: String,
    /// Of its column, in characters, where there are columns.
    width: usize,
    style: Style,
}

/// Of a note.
fn style(note: &str) -> Style {
    match note.split(' ').next() {
        Some("CONFLICT") => AnsiColor::Red.on_default().bold(),
        Some("NEW") => AnsiColor::Green.on_default(),
        Some("GONE" | "CHANGED" | "MOVED") => AnsiColor::Magenta.on_default(),
        _ => Style::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use macaddr::MacAddr6;

    use super::*;
    use crate::scan::host::{Arp, Change};

    fn row() -> Row {
        Row {
            mac: Some(MacAddr6::new(0, 0x50, 0x56, 0, 0, 0x0c)),
            arp: Arp::Answered(Some(Duration::from_micros(70))),
            echo: Echo::Silent,
            owners: 2,
            conflict: true,
            change: Some(Change::New),
            ..Row::of([10, 77, 0, 7].into(), State::Up)
        }
    }

    fn view() -> View {
        let (template, method) = (None, Method::Both);
        View { template, method, names: false, aligned: false, coloured: false }
    }

    #[test]
    fn elsewhere_than_on_a_terminal_fields_are_between_tabs() {
        let line = "10.77.0.7\t00:50:56:00:00:0c\tVMware, Inc.\tarp 0.07 ms\techo -\t\
                    CONFLICT 2 owners\tNEW";
        assert_eq!(view().line(&row()), line);
        let echo = Echo::Answered { round_trip: Duration::from_micros(40), ttl: 64 };
        let answered = Row { echo, conflict: false, change: None, ..row() };
        let line = "10.77.0.7\t00:50:56:00:00:0c\tVMware, Inc.\tarp 0.07 ms\techo 0.04 ms ttl 64";
        assert_eq!(view().line(&answered), line);
    }

    #[test]
    fn on_a_terminal_they_stand_in_columns() {
        let line = "10.77.0.7        00:50:56:00:00:0c  VMware, Inc.                  arp 0.07 ms     \
                    echo -                   CONFLICT 2 owners  NEW";
        assert_eq!(View { aligned: true, ..view() }.line(&row()), line);
    }

    #[test]
    fn colours_change_nothing_but_the_colours() {
        let coloured = View { coloured: true, aligned: true, ..view() }.line(&row());
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31mCONFLICT 2 owners\u{1b}[0m"), "{coloured:?}");
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, View { aligned: true, ..view() }.line(&row()));
    }

    #[test]
    fn a_template_says_what_is_told_of_a_host() {
        let template = "${ip;-12}|${mac}|${vendor;14}|${arp}|${echo}|${ttl}|${owners}|${note}";
        let template = Some(template.parse().unwrap());
        let line = View { template, ..view() }.line(&row());
        let expected = "10.77.0.7   |00:50:56:00:00:0c|  VMware, Inc.|0.07 ms|-|-|2|\
                        CONFLICT 2 owners, NEW";
        assert_eq!(line, expected);
    }
}
