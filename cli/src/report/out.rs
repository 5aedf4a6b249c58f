use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, ppoll},
    sys::{
        stat::{SFlag, fstat},
        time::TimeSpec,
    },
    unistd,
};

use crate::signals::wait_to_write;

/// Lines on their way to standard output.
pub(super) struct Out {
    /// Those that are not written yet.
    lines: Vec<u8>,
    /// How many octets of them may wait to be written together.
    room: usize,
    /// How many octets are written at once: no more than there is room for where a reader may be
    /// slow.
    piece: usize,
    /// Nobody waits for the reader: what he does not take in time is lost.
    live: bool,
    /// Standard output anew if it is a terminal: that may say it has room, and have none.
    terminal: Option<File>,
    /// How many octets of lines may wait for a reader who is not waited for.
    most: usize,
    lost: u64,
}

impl Out {
    pub(super) fn new() -> Self {
        let piece = if has_reader() { PIECE } else { usize::MAX };
        Self { lines: Vec::new(), room: 0, piece, live: false, terminal: None, most: MOST, lost: 0 }
    }

    /// Lets lines wait until there are many; unless they go to a terminal.
    pub(super) fn gather(&mut self) {
        if !io::stdout().is_terminal() {
            self.room = ROOM;
        }
    }

    /// From now on, whoever adds a line has no time to wait.
    pub(super) fn go_live(&mut self) {
        self.live = true;
        if io::stdout().is_terminal() {
            let mut anew = OpenOptions::new();
            let anew = anew.write(true).custom_flags(OFlag::O_NONBLOCK.bits());
            self.terminal = anew.open("/proc/self/fd/1").ok(); // or else it is waited for
        }
    }

    /// What follows is the last, and not lost for want of room.
    pub(super) fn keep_all(&mut self) {
        self.most = usize::MAX;
    }

    /// Lines that nobody took in time.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether there are lines that are not written.
    pub(super) fn is_behind(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Adds what `write` writes: whole lines.
    pub(super) fn add(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = self.lines.len();
        write(&mut self.lines)?;
        let len = self.lines.len() - before;
        if self.lines.len() > self.room {
            self.flush()?;
        }
        if self.live && self.lines.len() > self.most {
            self.lines.truncate(self.lines.len() - len);
            self.lost += 1;
        }
        Ok(())
    }

    /// Writes all lines, or those that the reader has room for if he is not waited for.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let most = if self.live { Some(Duration::ZERO) } else { None };
        self.write(most)
    }

    /// Writes all lines, and waits for the reader; not for ever, if he was not waited for before.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.write(self.live.then_some(PATIENCE))
    }

    /// Writes until the reader has had no room for so long.
    fn write(&mut self, most: Option<Duration>) -> io::Result<()> {
        let (mut written, mut waited) = (0, Duration::ZERO);
        let result = loop {
            let rest = &self.lines[written..];
            let piece = &rest[..rest.len().min(self.piece)];
            if piece.is_empty() {
                break Ok(());
            }
            match self.has_room(most) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(errno) => break Err(errno),
            }
            let octets = match &self.terminal {
                Some(terminal) => unistd::write(terminal, piece),
                None => unistd::write(io::stdout(), piece),
            };
            match octets {
                Ok(octets) => (written, waited) = (written + octets, Duration::ZERO),
                Err(Errno::EAGAIN) if most.is_some_and(|most| waited >= most) => break Ok(()),
                Err(Errno::EAGAIN) => {
                    let _ = ppoll(&mut [], Some(AGAIN.into()), None); // a signal makes it shorter
                    waited += AGAIN;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EBADF) => written = self.lines.len(), // there is no standard output
                Err(errno) => break Err(errno),
            }
        };
        if result.is_err() {
            self.lines.clear(); // whoever does not take them is not asked to again
        } else {
            self.lines.drain(..written);
        }
        Ok(result?)
    }

    /// Whether a piece can be written without a wait, once the reader was waited for.
    fn has_room(&self, most: Option<Duration>) -> nix::Result<bool> {
        if self.piece == usize::MAX {
            return Ok(true);
        }
        let stdout = io::stdout();
        let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
        let within = TimeSpec::from(most.unwrap_or_default());
        match ppoll(&mut fds, Some(within), None) {
            Ok(0) | Err(Errno::EINTR) if most.is_some() => Ok(false),
            Ok(0) | Err(Errno::EINTR) => wait_to_write(stdout.as_fd()).map(|()| true),
            Ok(_) => Ok(true),
            Err(errno) => Err(errno),
        }
    }
}

/// Whether a line can be written there now without a wait, as far as one is told.
pub(super) fn has_room(to: impl AsFd) -> bool {
    let mut fds = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
    !matches!(ppoll(&mut fds, Some(TimeSpec::from(Duration::ZERO)), None), Ok(0))
}

/// Whether what is written has to be taken by somebody before more can be.
fn has_reader() -> bool {
    let kind =
        fstat(io::stdout()).map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT);
    match kind {
        Ok(SFlag::S_IFREG) => false,
        Ok(SFlag::S_IFCHR) => io::stdout().is_terminal(),
        _ => true,
    }
}

/// Octets of lines that are written together.
const ROOM: usize = 32 << 10;

/// Octets of lines that wait for a reader who is not waited for.
const MOST: usize = 1 << 20;

/// Octets that a pipe takes at once when it says that it takes any (pipe(7)).
const PIECE: usize = 4096;

/// Until what had no room though it was said to is tried again.
const AGAIN: Duration = Duration::from_millis(10);

/// How long a reader who is not waited for may take nothing at the very end.
const PATIENCE: Duration = Duration::from_secs(1);
