use std::{io, os::fd::AsFd};

use macaddr::MacAddr6;

use super::Namespace;
use crate::{ethtool, monitor::Monitor, netlink::Netlink};

/// Lays a wire between two namespaces, or within one: a pair of Ethernet interfaces, up, with no
/// addresses and an MTU of 1500, and with TCP and generic segmentation, merging and checksum
/// offload off, so that what passes is what a wire would carry. VLAN tags still pass beside the
/// frame.
///
/// Frames can pass when this returns.
///
/// # Errors
/// AlreadyExists if a name is taken; otherwise the kernel's.
pub fn veth(
    near: &Namespace,
    near_name: &str,
    near_mac: MacAddr6,
    far: &Namespace,
    far_name: &str,
    far_mac: MacAddr6,
) -> io::Result<()> {
    near.within(|| {
        Netlink::open()?.add_veth((near_name, near_mac), (far_name, far_mac), far.as_fd())
    })?;
    for (namespace, name) in [(near, near_name), (far, far_name)] {
        namespace.within(|| ethtool::offloads_off(name))?;
        namespace.up(name)?;
    }
    await_up(near, near_name)?;
    await_up(far, far_name)
}

/// Waits until frames can pass: the kernel opens an interface's queue some time after its carrier
/// has come.
fn await_up(namespace: &Namespace, name: &str) -> io::Result<()> {
    namespace.within(|| {
        let index = Netlink::open()?.link_named(name)?.index;
        Monitor::open(index)?.wait_up()
    })
}
