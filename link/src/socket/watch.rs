use std::{
    io,
    os::fd::{AsRawFd, RawFd},
    time::{Duration, Instant},
};

use nix::sys::{
    epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
    time::TimeSpec,
    timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
};

use super::{PacketSocket, clock};

/// One descriptor that is readable when a socket's wait would end, its time included.
pub(crate) struct Watch {
    epoll: Epoll,
    timer: TimerFd,
}

impl Watch {
    /// Of `socket`, and of no other from now on.
    pub(crate) fn new(socket: &PacketSocket) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK,
        )?;
        epoll.add(&socket.receive, EpollEvent::new(EpollFlags::EPOLLIN, RECEIVE))?;
        epoll.add(&socket.transmit, EpollEvent::new(EpollFlags::empty(), OTHER))?;
        epoll.add(&socket.line, EpollEvent::new(EpollFlags::EPOLLIN, OTHER))?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, OTHER))?;
        Ok(Self { epoll, timer })
    }

    /// Watches for what `socket` waits for at present, and for `until`.
    ///
    /// What an earlier call was for is forgotten.
    pub(crate) fn arm(&self, socket: &PacketSocket, until: Option<Instant>) -> io::Result<()> {
        let needs_room = socket.transmit.needs_room();
        let room = if needs_room { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
        self.epoll.modify(&socket.transmit, &mut EpollEvent::new(room, OTHER))?;
        match until.into_iter().chain(socket.transmit.deadline()).min() {
            Some(until) => {
                let delay = until.saturating_duration_since(clock::now());
                let delay = delay.max(Duration::from_nanos(1)); // zero would disarm it
                let once = Expiration::OneShot(TimeSpec::from(delay));
                self.timer.set(once, TimerSetTimeFlags::empty())?;
            }
            None => self.timer.unset()?,
        }
        Ok(())
    }

    /// Whether a wait on `socket` would end now.
    pub(crate) fn is_over(&self, socket: &PacketSocket) -> io::Result<bool> {
        let mut events = [EpollEvent::empty(); 4];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO)?;
        let has_failed = |event: &EpollEvent| {
            event.data() == RECEIVE && event.events().contains(EpollFlags::EPOLLERR)
        };
        if events[..count].iter().any(has_failed) {
            socket.receive.relieve();
        }
        if count > 0 {
            socket.line.ring();
        }
        Ok(count > 0)
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.epoll.0.as_raw_fd()
    }
}

/// Marks what comes of the descriptor that receives.
const RECEIVE: u64 = 0;

/// Marks what comes of the others.
const OTHER: u64 = 1;
