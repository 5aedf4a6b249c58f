use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use macaddr::MacAddr6;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::{
    errno::Errno,
    libc,
    poll::{PollFd, PollFlags, poll},
};

use crate::{
    interface::State,
    netlink::{Link, Netlink},
};

/// Tells what becomes of one interface, from the moment that it is opened.
///
/// It is readable (its [`AsFd`]) when there may be something to [`read`](Monitor::read). It stays
/// with the network namespace that the calling thread was in when it opened it.
#[derive(Debug)]
pub struct Monitor {
    index: u32,
    news: Netlink,
    questions: Netlink,
    /// Some news were lost, and to ask instead has failed so far.
    lost: bool,
}

impl Monitor {
    /// Listens for changes of the interface with this index; there need not be one.
    ///
    /// # Errors
    /// When the kernel gives no socket.
    pub fn open(index: u32) -> io::Result<Self> {
        let news = Netlink::listen(libc::RTMGRP_LINK as u32)?;
        Ok(Self { index, news, questions: Netlink::open()?, lost: false })
    }

    /// How the interface has changed; call until it returns `None`. It never waits.
    ///
    /// A change is told as what is now the case, so one may be told twice, and those that came too
    /// fast for the socket's buffer are told as one.
    pub fn read(&mut self) -> Option<Change> {
        while !self.lost {
            match self.news.heard() {
                Ok(messages) => {
                    let change = messages.iter().rev().find_map(|message| self.change(message));
                    if change.is_some() {
                        return change;
                    }
                }
                Err(Errno::ENOBUFS) => self.lost = true,
                Err(_) => return None, // EAGAIN: that was all
            }
        }
        self.caught_up()
    }

    /// What is the case now, by asking.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub fn now(&mut self) -> io::Result<Change> {
        let link = self.questions.link(self.index)?;
        Ok(link.map_or(Change::Gone, |link| Change::Is(Condition::of(&link))))
    }

    /// Waits until frames can pass.
    ///
    /// # Errors
    /// NotFound if the interface is gone, TimedOut if nothing happens to it for a while.
    pub(crate) fn wait_up(&mut self) -> io::Result<()> {
        loop {
            match self.now()? {
                Change::Is(condition) if condition.state == State::Up => return Ok(()),
                Change::Is(_) => {}
                Change::Gone => return Err(io::ErrorKind::NotFound.into()),
            }
            let mut fds = [PollFd::new(self.news.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PATIENCE) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            while self.read().is_some() {}
        }
    }

    /// What is the case, instead of what was lost; older news must not be told after it.
    fn caught_up(&mut self) -> Option<Change> {
        while matches!(self.news.heard(), Ok(_) | Err(Errno::ENOBUFS)) {}
        let change = self.now().ok()?;
        self.lost = false;
        Some(change)
    }

    fn change(&self, message: &RouteNetlinkMessage) -> Option<Change> {
        if let RouteNetlinkMessage::DelLink(message) = message {
            // A bridge says of a port that leaves it, in its own family, that it is deleted.
            let whole = message.header.interface_family == AddressFamily::Unspec;
            return (whole && message.header.index == self.index).then_some(Change::Gone);
        }
        let link = Link::told(message)?;
        (link.index == self.index).then(|| Change::Is(Condition::of(&link)))
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }
}

/// What has become of an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// It is there, and this is how it is.
    Is(Condition),
    /// It was deleted, unplugged, or moved to another network namespace.
    Gone,
}

/// How an interface is, as far as that can change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Condition {
    /// Whether frames can pass.
    pub state: State,
    /// Largest payload of one frame, in octets, Ethernet header excluded.
    pub mtu: usize,
    /// Its own address, unless it has none of six octets.
    pub mac: Option<MacAddr6>,
}

impl Condition {
    fn of(link: &Link) -> Self {
        Self { state: link.state, mtu: link.mtu, mac: link.mac }
    }
}

/// How long an interface may take from one step to the next on its way up, in milliseconds.
const PATIENCE: u16 = 5000;
