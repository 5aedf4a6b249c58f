use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far the scan has come: a line on stderr, if that is a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Whether anybody sees it.
    is_shown: bool,
}

impl Progress {
    pub(super) fn of(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let is_shown = !bar.is_hidden();
        Self { bar, is_shown }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// So many targets were begun with in this time, and so many hosts found.
    pub(super) fn update(&self, begun: u64, found: u64, took: Duration) {
        if !self.is_shown {
            return;
        }
        self.bar.set_position(begun);
        let total = self.bar.length().unwrap_or(begun);
        let left = total.saturating_sub(begun);
        if left == 0 {
            self.bar.set_message(format!("{found} found, waiting for the last"));
            return;
        }
        let rate = (begun as f64 / took.as_secs_f64().max(0.1)).max(1.0);
        let left = (left as f64 / rate).ceil();
        self.bar.set_message(format!("{found} found, {rate:.0} a second, {left} s left"));
    }

    /// Lets `tell` write to the terminal that it may be on.
    pub(super) fn aside<T>(&self, tell: impl FnOnce() -> T) -> T {
        if self.is_shown { self.bar.suspend(tell) } else { tell() }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

const TEMPLATE: &str = "{bar:24} {pos}/{len} {percent}%, {msg}";
