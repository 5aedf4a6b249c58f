use std::{
    io::{self, IoSlice},
    mem,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    thread,
};

use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};

/// Sees to it that what a link consists of is closed at once, and not one after the other.
///
/// To close a packet socket, the kernel waits until nobody on the machine can still be looking at
/// it (an RCU grace period: about 10 ms), and one such wait serves all. To be dropped after every
/// other user of the sockets: only the last who closes one has to wait.
pub(super) struct Closing {
    sockets: Vec<OwnedFd>,
    /// The kernel is to close them.
    lingering: bool,
}

impl Closing {
    /// # Errors
    /// When there are no more descriptors.
    pub(super) fn of<const N: usize>(sockets: [&dyn AsFd; N], lingering: bool) -> io::Result<Self> {
        let sockets = sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned());
        Ok(Self { sockets: sockets.collect::<io::Result<_>>()?, lingering })
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if self.lingering
            && let Ok(ring) = leave(&self.sockets)
        {
            self.sockets.clear(); // first, or our descriptors might be the last ones
            return drop(ring);
        }
        let last = self.sockets.pop();
        thread::scope(|scope| {
            for socket in mem::take(&mut self.sockets) {
                // Without a thread, it is closed here.
                let _ = thread::Builder::new().spawn_scoped(scope, move || drop(socket));
            }
            drop(last);
        });
    }
}

/// Leaves `sockets` to the kernel, which closes them in a thread of its own once the pair is
/// dropped.
///
/// They are sent to the first of the pair together with itself (`unix(7)`, SCM_RIGHTS): it is then
/// held by nothing but a message that waits in it. For such rings the kernel looks when it closes
/// another socket of the kind: the second.
fn leave(sockets: &[OwnedFd]) -> nix::Result<(OwnedFd, OwnedFd)> {
    let (near, far) = socketpair(
        AddressFamily::Unix,
        SockType::Datagram,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    )?;
    let fds: Vec<RawFd> = sockets.iter().chain([&far]).map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&fds)];
    let octets = [IoSlice::new(&[0])];
    sendmsg::<()>(near.as_raw_fd(), &octets, &rights, MsgFlags::empty(), None)?;
    Ok((far, near))
}
