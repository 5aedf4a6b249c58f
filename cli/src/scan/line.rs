use std::{
    fmt::{Display, Write},
    io::{self, IsTerminal},
    iter,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use stack::sweep::Method;

use super::{
    args::{Color, Scan},
    host::{Echo, Note, OrDash, Row, State},
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
        let (plain, is_gone) = (Style::new(), row.state == State::Gone);
        let mut line = Line { view: self, text: String::with_capacity(96), lacking: None };
        line.cell(15, Style::new().bold(), row.addr);
        line.cell(17, plain, row.mac_text());
        line.cell(28, plain, row.vendor_text());
        if self.names {
            line.cell(28, plain, OrDash(row.name.as_ref()));
        }
        if self.method != Method::Echo {
            line.cell(14, plain, format_args!("arp {}", row.arp_text()));
        }
        if self.method != Method::Arp {
            let mute = matches!(row.echo, Echo::Silent | Echo::Error(_)) && !is_gone;
            let style = if mute { AnsiColor::Yellow.on_default() } else { plain };
            let echo = row.echo_text();
            match row.ttl() {
                Some(ttl) => line.cell(23, style, format_args!("echo {echo} ttl {ttl}")),
                None => line.cell(23, style, format_args!("echo {echo}")),
            }
        }
        for note in row.notes() {
            line.cell(0, style(note), note);
        }
        line.text
    }
}

/// A line that cells are added to.
struct Line<'a> {
    view: &'a View,
    text: String,
    /// Characters that the last cell is shorter than its column.
    lacking: Option<usize>,
}

impl Line<'_> {
    /// Adds `text` to a column of so many characters, where there are columns.
    fn cell(&mut self, width: usize, style: Style, text: impl Display) {
        let View { aligned, coloured, .. } = *self.view;
        if let Some(lacking) = self.lacking.take() {
            self.text.extend(iter::repeat_n(' ', lacking));
            self.text.push_str(if aligned { "  " } else { "\t" });
        }
        let start = self.text.len();
        let _ = match coloured && style != Style::new() {
            true => write!(self.text, "{style}{text}{style:#}"),
            false => write!(self.text, "{text}"),
        }; // a string takes all
        self.lacking = Some(0);
        if aligned {
            let shown = anstream::adapter::strip_str(&self.text[start..]).to_string();
            self.lacking = Some(width.saturating_sub(shown.chars().count()));
        }
    }
}

/// Of a note.
fn style(note: Note) -> Style {
    match note {
        Note::Conflict(_) => AnsiColor::Red.on_default().bold(),
        Note::New => AnsiColor::Green.on_default(),
        Note::Gone | Note::Changed(_) | Note::Moved(_) => AnsiColor::Magenta.on_default(),
        Note::SameMac(_) => Style::new().dimmed(),
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
