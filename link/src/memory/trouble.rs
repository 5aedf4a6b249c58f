use std::{collections::VecDeque, io, time::Instant};

use crate::{interface::State, io::Event};

/// What was done to the line of a station; few ever have any, and those without take no room for it.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) state: State,
    /// How many frames the inbox may hold.
    pub(super) room: usize,
    /// How many it could not.
    pub(super) overflowed: u64,
    /// What has happened to the line.
    pub(super) events: VecDeque<Event>,
    /// Until when nothing leaves.
    pub(super) jammed: Option<Instant>,
    /// What the next receive ends with.
    pub(super) error: Option<io::ErrorKind>,
    pub(super) is_gone: bool,
}

impl Trouble {
    pub(super) fn has_news(&self) -> bool {
        !self.events.is_empty() || self.error.is_some() || self.is_gone
    }

    /// # Errors
    /// NotConnected if the link was deleted.
    pub(super) fn check(&self) -> io::Result<()> {
        if !self.is_gone {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::NotConnected, "the link was deleted"))
    }
}

impl Default for Trouble {
    fn default() -> Self {
        Self {
            state: State::Up,
            room: usize::MAX,
            overflowed: 0,
            events: VecDeque::new(),
            jammed: None,
            error: None,
            is_gone: false,
        }
    }
}
