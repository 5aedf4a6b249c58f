use std::{io, net::Ipv4Addr};

use macaddr::MacAddr6;

use super::{Namespace, veth};

/// A network of the Linux kernel's own hosts, with one end free for us.
///
/// ```text
/// here  lab0 ------------ here  router  beyond ------------ lab0  beyond
///       no address        10.0.0.2/24   10.0.1.254/24       10.0.1.2/24
///                         10.0.0.254/24
/// ```
///
/// It is gone when it is dropped, and nothing of it was ever visible outside.
#[derive(Debug)]
pub struct KernelLab {
    /// Where our link is to be opened, on [`KernelLab::INTERFACE`]; its kernel has no address.
    pub here: Namespace,
    /// The far host of our network, and the way to the other.
    pub router: Namespace,
    /// A host of the other network; it answers through the router.
    pub beyond: Namespace,
}

impl KernelLab {
    /// The name of the interface that is ours; so is that of the host beyond.
    pub const INTERFACE: &str = "lab0";

    /// Builds it; all of it answers when this returns.
    ///
    /// # Errors
    /// As [`Namespace::new`]; otherwise the kernel's.
    pub fn new() -> io::Result<Self> {
        let (here, router, beyond) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
        router.forward()?;
        veth(&here, Self::INTERFACE, station(0, 1), &router, "here", station(0, 254))?;
        veth(&beyond, Self::INTERFACE, station(1, 2), &router, "beyond", station(1, 254))?;
        router.add_address("here", HOST, 24)?;
        router.add_address("here", GATEWAY, 24)?;
        router.add_address("beyond", GATEWAY_BEYOND, 24)?;
        beyond.add_address(Self::INTERFACE, HOST_BEYOND, 24)?;
        beyond.add_route(Ipv4Addr::UNSPECIFIED, 0, GATEWAY_BEYOND)?;
        Ok(Self { here, router, beyond })
    }
}

/// A locally administered address (IEEE 802) that tells which network and host it is of.
fn station(network: u8, host: u8) -> MacAddr6 {
    MacAddr6::new(0x02, 0, 0, 0, network, host)
}

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
const GATEWAY_BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 254);
const HOST_BEYOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
