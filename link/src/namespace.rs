//! Private networks of the Linux kernel's own hosts, made without root.
//!
//! [`enter`] first, then as many [`Namespace`]s as there are to be hosts, with a [`veth`] for each
//! wire between two of them. [`KernelLab`] is the one that the commands and most tests want.
//!
//! ```no_run
//! use sidestack_link::namespace::{self, KernelLab};
//!
//! namespace::enter()?;
//! let lab = KernelLab::new()?;
//! let ours = lab.here.run(|| sidestack_link::interface(KernelLab::INTERFACE))?;
//! assert!(ours.addresses.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entrance;
mod lab;
mod wire;

use std::{
    fs::{self, File},
    io,
    net::Ipv4Addr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use macaddr::MacAddr6;
use nix::sched::{CloneFlags, setns, unshare};

pub use entrance::{Refusal, enter, for_tests};
pub use lab::KernelLab;
pub use wire::veth;

use crate::{interface::Address, netlink::Netlink};

/// A network of its own: interfaces, addresses, routes, and whatever sockets are opened in it.
///
/// It lasts as long as this value, or a socket that was opened in it; then its interfaces vanish,
/// and the far ends of its wires with them.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
}

impl Namespace {
    /// An empty one: loopback is up, IPv6 is off, and no packet is dropped for its source.
    ///
    /// The calling thread is in it for a moment, and back when this returns.
    ///
    /// # Errors
    /// PermissionDenied unless the process has [`enter`]ed one, or is root.
    pub fn new() -> io::Result<Self> {
        let home = Self::current()?;
        unshare(CloneFlags::CLONE_NEWNET)?;
        let _back = Visit { home };
        settle()?;
        Self::current()
    }

    /// That of the calling thread.
    ///
    /// # Errors
    /// When `/proc` is not there to give it.
    pub fn current() -> io::Result<Self> {
        Ok(Self { fd: File::open("/proc/thread-self/ns/net")?.into() })
    }

    /// Runs `f` in it, on the calling thread, which is back when this returns or unwinds.
    ///
    /// A socket or link that `f` opens stays in it.
    ///
    /// # Panics
    /// If the process has given up the privilege that it made the namespace with; `f` itself must
    /// keep it, for the way back.
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        let _back = self.visit().expect("who made a namespace may enter it");
        f()
    }

    /// Gives the interface `name` another address.
    ///
    /// # Errors
    /// NotFound if there is no such interface, AlreadyExists if it has the address.
    pub fn add_address(&self, name: &str, addr: Ipv4Addr, prefix_len: u8) -> io::Result<()> {
        self.change(name, |netlink, index| netlink.add_address(index, Address { addr, prefix_len }))
    }

    /// Adds a route through `gateway`, which must be on a connected network; `0.0.0.0`, 0 is the
    /// default route.
    ///
    /// # Errors
    /// The kernel's, when it refuses the route.
    pub fn add_route(
        &self,
        destination: Ipv4Addr,
        prefix_len: u8,
        gateway: Ipv4Addr,
    ) -> io::Result<()> {
        let destination = Address { addr: destination, prefix_len };
        self.within(|| Netlink::open()?.add_route(destination, gateway))
    }

    /// Sets the interface `name` administratively up.
    ///
    /// # Errors
    /// NotFound if there is no such interface.
    pub fn up(&self, name: &str) -> io::Result<()> {
        self.change(name, Netlink::set_up)
    }

    /// Sets the interface `name` administratively down; the far end of a veth loses its carrier.
    ///
    /// # Errors
    /// As [`Namespace::up`].
    pub fn down(&self, name: &str) -> io::Result<()> {
        self.change(name, Netlink::set_down)
    }

    /// Sets the largest payload of one frame, in octets.
    ///
    /// # Errors
    /// As [`Namespace::up`]; InvalidInput if the driver cannot.
    pub fn set_mtu(&self, name: &str, mtu: u32) -> io::Result<()> {
        self.change(name, |netlink, index| netlink.set_mtu(index, mtu))
    }

    /// Sets the interface's own address.
    ///
    /// # Errors
    /// As [`Namespace::up`].
    pub fn set_mac(&self, name: &str, mac: MacAddr6) -> io::Result<()> {
        self.change(name, |netlink, index| netlink.set_mac(index, mac))
    }

    /// Removes the interface `name`, and the far end of its wire.
    ///
    /// # Errors
    /// As [`Namespace::up`].
    pub fn delete(&self, name: &str) -> io::Result<()> {
        self.change(name, Netlink::delete)
    }

    /// Makes a router of it (RFC 1812): it forwards what is not for itself.
    ///
    /// # Errors
    /// When `/proc/sys` cannot be written.
    pub fn forward(&self) -> io::Result<()> {
        self.within(|| set("net/ipv4/ip_forward", "1"))
    }

    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut Netlink, u32) -> io::Result<()>,
    ) -> io::Result<()> {
        self.within(|| {
            let mut netlink = Netlink::open()?;
            let index = netlink.link_named(name)?.index;
            change(&mut netlink, index)
        })
    }

    fn within(&self, f: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _back = self.visit()?;
        f()
    }

    fn visit(&self) -> io::Result<Visit> {
        let home = Self::current()?;
        setns(&self.fd, CloneFlags::CLONE_NEWNET)?;
        Ok(Visit { home })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A thread's stay in another namespace than its own; dropped, it is back.
struct Visit {
    home: Namespace,
}

impl Drop for Visit {
    fn drop(&mut self) {
        // To go on in the wrong network would be worse than to stop.
        setns(&self.home, CloneFlags::CLONE_NEWNET).expect("who came may go back");
    }
}

/// Furnishes the calling thread's new namespace.
fn settle() -> io::Result<()> {
    Netlink::open()?.set_up(LOOPBACK)?;
    for (name, value) in DEFAULTS {
        // Some of it may not be there (IPv6), or be locked; what needs it will say so.
        let _ = set(name, value);
    }
    Ok(())
}

fn set(name: &str, value: &str) -> io::Result<()> {
    fs::write(Path::new("/proc/sys").join(name), value)
}

/// Index of the loopback interface in every namespace.
const LOOPBACK: u32 = 1;

/// What interfaces that are made later begin with; without these, it is as on the machine outside.
const DEFAULTS: [(&str, &str); 4] = [
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
];
