use std::fmt::{self, Write};

use super::findings::{Distribution, Findings};
use crate::text::Ms;

/// How long answers took: a histogram each for echo and ARP over the same axis, which is
/// logarithmic, and the figures.
pub(super) fn section(out: &mut String, findings: &Findings) -> fmt::Result {
    let both = [("Echo", &findings.echo), ("ARP", &findings.arp)];
    let kinds: Vec<_> = both.into_iter().filter(|(_, times)| times.len() > 0).collect();
    let Some(axis) = Axis::over(&kinds) else { return Ok(()) };
    out.push_str("<section class=\"latency\"><h2>Latency</h2>\n<div class=\"charts\">\n");
    for (name, times) in &kinds {
        chart(out, name, times, &axis)?;
    }
    out.push_str("</div>\n");
    figures(out, &kinds)?;
    out.push_str("</section>\n");
    Ok(())
}

/// From one power of ten nanoseconds to another.
struct Axis {
    first: i32,
    last: i32,
}

impl Axis {
    fn over(kinds: &[(&str, &Distribution)]) -> Option<Self> {
        let extremes: Vec<_> = kinds.iter().filter_map(|(_, times)| times.extremes()).collect();
        let min = extremes.iter().map(|(min, _)| *min).min()?;
        let max = extremes.iter().map(|(_, max)| *max).max()?;
        let half = 0.5 / BINS as f64;
        let first = ((min as f64).log10() - half).floor() as i32;
        let last = ((max as f64).log10() + half).ceil() as i32;
        Some(Self { first, last: last.max(first + 1) })
    }

    /// Bins begin half a step before a round number, which is therefore in the middle of one.
    fn bin(&self, nanos: u64) -> usize {
        let steps = ((nanos as f64).log10() - f64::from(self.first)) * BINS as f64;
        (steps.round().max(0.0) as usize).min(self.bins() - 1)
    }

    fn bins(&self) -> usize {
        (self.last - self.first) as usize * BINS + 1
    }

    /// The middle of a bin, in nanoseconds.
    fn middle(&self, bin: f64) -> f64 {
        10_f64.powf(f64::from(self.first) + bin / BINS as f64)
    }

    /// How wide a bin is drawn.
    fn step(&self) -> f64 {
        WIDTH / self.bins() as f64
    }

    fn x(&self, nanos: f64) -> f64 {
        let steps = (nanos.log10() - f64::from(self.first)) * BINS as f64 + 0.5;
        LEFT + steps * self.step()
    }
}

fn chart(out: &mut String, name: &str, times: &Distribution, axis: &Axis) -> fmt::Result {
    let mut bins = vec![0_u64; axis.bins()];
    times.counts().for_each(|(nanos, count)| bins[axis.bin(nanos)] += count);
    let most = bins.iter().copied().max().unwrap_or_default().max(1);
    let (count, median) = (times.len(), times.quantile(0.5).unwrap_or_default());
    let (all, median_ms) = (plural(count, "answer"), Ms::of_nanos(median));
    writeln!(
        out,
        "<figure><figcaption><b>{name}</b> {all}</figcaption>\n\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" \
         aria-label=\"{name}: histogram of {all}, median {median_ms} ms\">",
        LEFT + WIDTH + LEFT,
        BASE + 22.0
    )?;
    ticks(out, axis)?;
    for (n, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (*count as f64 / most as f64 * HEIGHT).max(1.5);
        let (x, y) = (LEFT + n as f64 * axis.step() + 0.5, BASE - height);
        let [from, to] = [-0.5, 0.5].map(|half| axis.middle(n as f64 + half) as u64);
        let (from, to) = (Ms::of_nanos(from), Ms::of_nanos(to));
        writeln!(
            out,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
             <title>{from} to {to} ms: {count}</title></rect>",
            (axis.step() - 1.0).max(1.0)
        )?;
    }
    let [top, base] = [BASE - HEIGHT, BASE];
    writeln!(
        out,
        "<path class=\"base\" d=\"M{LEFT} {base}h{WIDTH}\"/>\
         <text class=\"end\" x=\"{}\" y=\"{}\">{most}</text>",
        LEFT - 5.0,
        top + 4.0
    )?;
    for (part, label, anchor, aside) in [(0.5, "p50", "end", -4.0), (0.99, "p99", "start", 4.0)] {
        let x = axis.x(times.quantile(part).unwrap_or(1) as f64);
        writeln!(
            out,
            "<path class=\"mark\" d=\"M{x:.1} {:.1}V{base}\"/>\
             <text class=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
            top - 14.0,
            x + aside,
            top - 6.0
        )?;
    }
    out.push_str("</svg></figure>\n");
    Ok(())
}

fn ticks(out: &mut String, axis: &Axis) -> fmt::Result {
    out.push_str("<g class=\"axis\">");
    for decade in axis.first..=axis.last {
        let x = axis.x(10_f64.powi(decade));
        write!(out, "<path class=\"tick\" d=\"M{x:.1} {BASE}v5\"/>")?;
        write!(out, "<text class=\"mid\" x=\"{x:.1}\" y=\"{}\">", BASE + 17.0)?;
        writeln!(out, "{}</text>", power(decade))?;
        for part in [2.0, 5.0].into_iter().filter(|_| decade < axis.last) {
            let x = axis.x(part * 10_f64.powi(decade));
            write!(out, "<path class=\"tick\" d=\"M{x:.1} {BASE}v3\"/>")?;
        }
    }
    out.push_str("</g>\n");
    Ok(())
}

/// A power of ten nanoseconds, in words.
fn power(decade: i32) -> String {
    let digits = 10_u64.pow(decade.rem_euclid(3).unsigned_abs());
    match decade.div_euclid(3) {
        0 => format!("{digits} ns"),
        1 => format!("{digits} µs"),
        2 => format!("{digits} ms"),
        3 => format!("{digits} s"),
        _ => format!("{digits}000 s"),
    }
}

fn figures(out: &mut String, kinds: &[(&str, &Distribution)]) -> fmt::Result {
    out.push_str("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">ms</th>");
    for (label, _) in QUANTILES {
        write!(out, "<th scope=\"col\" class=\"n\">{label}</th>")?;
    }
    out.push_str("</tr></thead><tbody>\n");
    for (name, times) in kinds {
        write!(out, "<tr><th scope=\"row\">{name}</th>")?;
        for (_, part) in QUANTILES {
            let time = Ms::of_nanos(times.quantile(part).unwrap_or_default());
            write!(out, "<td class=\"n\">{time}</td>")?;
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Ok(())
}

/// `1 answer`, `2 answers`
pub(super) fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

const QUANTILES: [(&str, f64); 7] = [
    ("min", 0.0),
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("max", 1.0),
];

/// Bins of a factor of ten.
const BINS: usize = 10;

/// Where the bars are.
const LEFT: f64 = 40.0;
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 110.0;
const BASE: f64 = 140.0;
