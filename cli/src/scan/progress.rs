use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;

/// How far the scan has come: a line on stderr, if that is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn of(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        io::stderr().is_terminal()
    }

    pub(super) fn update(&self, done: u64, found: u64) {
        if self.0.position() != done {
            self.0.set_position(done);
            self.0.set_message(format!("{found} found"));
        }
        self.0.tick();
    }

    /// Lets `tell` write to the terminal that it may be on.
    pub(super) fn aside(&self, tell: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
        self.0.suspend(tell)
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

const TEMPLATE: &str = "{bar:24} {pos}/{len} {percent}%  {per_sec}  {msg}  {eta} left";
