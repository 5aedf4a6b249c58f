use std::{
    io, mem,
    os::fd::{AsFd, OwnedFd},
    thread,
};

/// Sees to it that what a link consists of is closed at once, and not one after the other.
///
/// To close a packet socket, the kernel waits until nobody on the machine can still be looking at
/// it (an RCU grace period: about 10 ms), and one such wait serves all. To be dropped after every
/// other user of the sockets: only the last who closes one has to wait.
pub(super) struct Closing {
    sockets: Vec<OwnedFd>,
}

impl Closing {
    /// # Errors
    /// When there are no more descriptors.
    pub(super) fn of<const N: usize>(sockets: [&dyn AsFd; N]) -> io::Result<Self> {
        let sockets = sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned());
        Ok(Self { sockets: sockets.collect::<io::Result<_>>()? })
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
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
