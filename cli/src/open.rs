use std::{cmp::Reverse, net::Ipv4Addr, thread};

use ipnetwork::Ipv4Network;
use link::{
    Filter, Helped, Interface, Kind, Link, PacketSocket, Ring, Source, State, Tagged, Tap,
    capture::{Recorder, Writer},
    namespace,
};
use namespace::KernelLab;

use crate::{
    args::Global,
    capture::Capture,
    explain::Explained,
    failure::{self, Failure},
    identity::{Identity, Standing},
    lab::Plan,
    privilege::drop_privileges,
    value::LinkName,
};

/// A link just opened, with all privileges given up that this took.
pub(crate) struct Opened {
    pub(crate) link: Box<dyn Link>,
    pub(crate) name: String,
    pub(crate) identity: Identity,
    pub(crate) capture: Option<Capture>,
    /// Octets that the kernel keeps for us while we are busy; none where there is no kernel.
    pub(crate) receive_buffer: Option<usize>,
    /// Who stamps what leaves and what arrives.
    pub(crate) stamps: Source,
    /// What `link` leads into, if that lives only as long as this.
    pub(crate) lab: Option<KernelLab>,
}

/// Who we want to be on the link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Us {
    /// A host with an address on the network.
    Host,
    /// One that asks so fast that each frame's stamp would cost too much.
    Sweeper {
        /// Whether there is so much to ask that it is worth a second thread.
        many: bool,
    },
    /// One that asks one host so often that even a system call for its answers costs too much; so
    /// many frames may come while it does something else.
    Flooder { frames: usize },
    /// Whoever has this address: it is being announced.
    Claimant(Ipv4Addr),
    /// Nobody: without an address; only ARP is heard.
    Nobody,
    /// Nobody, and deaf: only sending.
    Deaf,
}

/// Opens the link that `global` names, or that leads to `target`.
pub(crate) fn open(
    global: &Global,
    target: Option<Ipv4Addr>,
    us: Us,
    seed: u64,
) -> Result<Opened, Failure> {
    let tagged = !global.vlan.is_empty();
    let mut receive_buffer = None;
    let mut boxed = |(socket, other): (PacketSocket, Option<PacketSocket>)| -> Box<dyn Link> {
        receive_buffer = Some(socket.receive_buffer());
        match other {
            Some(other) => Box::new(Helped::new(socket, other)),
            None => Box::new(socket),
        }
    };
    let (name, identity, link, lab): (_, _, Box<dyn Link>, _) = match &global.interface {
        Some(LinkName::Lab(plan)) => {
            let identity = us.in_lab(global)?;
            ("lab".into(), identity, Plan::build(plan, seed, tagged, global.source_mac), None)
        }
        Some(LinkName::KernelLab) => {
            let identity = us.in_lab(global)?;
            namespace::enter().map_err(failure::refusal)?;
            let lab = KernelLab::new()
                .map_err(|error| Failure::link(format!("kernel-lab: cannot be built: {error}")))?;
            let open = || socket(global, KernelLab::INTERFACE, &identity, us);
            let link = lab.here.run(open)?;
            ("kernel-lab".into(), identity, boxed(link), Some(lab))
        }
        Some(LinkName::Capture(path)) => {
            return Err(Failure::usage(format!(
                "pcap:{}: nothing can be sent there",
                path.display()
            ))
            .hint("`sidestack sniff` shows what is in a capture"));
        }
        Some(LinkName::Tap(name)) => {
            let tap = tap(global, name)?;
            let mut interface =
                link::interface(name).map_err(|error| failure::interface(name, &error))?;
            // They are those of the kernel's end, and we are not it.
            interface.addresses.clear();
            let identity = us.on(global, &interface, target)?;
            (name.clone(), identity, Box::new(tap), None)
        }
        Some(LinkName::Interface(name)) => {
            let interface =
                link::interface(name).map_err(|error| failure::interface(name, &error))?;
            let identity = us.on(global, &interface, target)?;
            let link = socket(global, name, &identity, us)?;
            (name.clone(), identity, boxed(link), None)
        }
        None => {
            let interface = leading_to(target)?;
            let identity = us.on(global, &interface, target)?;
            let link = socket(global, &interface.name, &identity, us)?;
            (interface.name, identity, boxed(link), None)
        }
    };
    let stamps = match &global.interface {
        Some(LinkName::Lab(_)) => Source::Virtual,
        Some(LinkName::Tap(_)) => Source::User,
        _ => Source::Kernel,
    };
    drop_privileges()?;
    let (link, capture) = decorate(global, link, &name)?;
    Ok(Opened { link, name, identity, capture, receive_buffer, stamps, lab })
}

/// Has the link recorded, and speaks inside its VLAN, if so wished.
pub(crate) fn decorate(
    global: &Global,
    link: Box<dyn Link>,
    name: &str,
) -> Result<(Box<dyn Link>, Option<Capture>), Failure> {
    let capture = global.pcap.as_deref().map(Capture::create).transpose()?;
    let (capture, link): (_, Box<dyn Link>) = match capture {
        None => (None, link),
        Some((capture, file)) => {
            let writer = Writer::with_format(capture.format(), name, file)
                .map_err(|error| Failure::link(format!("--pcap: cannot be written: {error}")))?;
            (Some(capture), Box::new(Recorder::over(link, writer)))
        }
    };
    let link = if global.explain { Box::new(Explained::new(link, global.json)) } else { link };
    let tagged = !global.vlan.is_empty();
    let link = if tagged { Box::new(Tagged::new(link, global.vlan.clone())) } else { link };
    Ok((link, capture))
}

impl Us {
    fn in_lab(self, global: &Global) -> Result<Identity, Failure> {
        match self.alone() {
            Some(addr) => Ok(Identity::alone(addr, Standing::Given)),
            None => Identity::in_lab(global),
        }
    }

    fn on(
        self,
        global: &Global,
        interface: &Interface,
        target: Option<Ipv4Addr>,
    ) -> Result<Identity, Failure> {
        if interface.kind == Kind::Loopback && self != Self::Deaf {
            return Err(Failure::usage(format!(
                "{} has no neighbours, and carries no ARP: name another interface by -I",
                interface.name
            ))
            .hint("`-I lab` is a network in memory, `-I kernel-lab` one of kernel hosts"));
        }
        let Some(addr) = self.alone() else { return Identity::on(global, interface, target) };
        let hosts = interface.addresses.iter().any(|address| address.addr == addr);
        let standing = if hosts { Standing::Hosts } else { Standing::Adopted };
        Ok(Identity::alone(addr, standing))
    }

    /// The only address that we have, if we need no network.
    fn alone(self) -> Option<Ipv4Addr> {
        match self {
            Self::Host | Self::Sweeper { .. } | Self::Flooder { .. } => None,
            Self::Claimant(addr) => Some(addr),
            Self::Nobody | Self::Deaf => Some(Ipv4Addr::UNSPECIFIED),
        }
    }
}

/// The socket, and a second one if a second thread is to send.
fn socket(
    global: &Global,
    name: &str,
    identity: &Identity,
    us: Us,
) -> Result<(PacketSocket, Option<PacketSocket>), Failure> {
    let filter = match us {
        Us::Deaf => Filter::none(),
        _ => Filter::host(&[identity.network.ip()]),
    };
    let options =
        PacketSocket::options().filter(filter).tagged(!global.vlan.is_empty()).lingering(true);
    let options = match us {
        Us::Sweeper { .. } => options.stamps(false),
        Us::Flooder { frames } => {
            let mtu = link::interface(name).map_or(MTU, |interface| interface.mtu);
            options.stamps(false).ring(Ring::V2 { octets: ring(frames, mtu) })
        }
        _ => options,
    };
    // It only sends what was written for the first.
    let silent = options.clone().filter(Filter::none());
    let options = global.source_mac.iter().fold(options, |options, mac| options.mac(*mac));
    let socket = options.open(name).map_err(Failure::open)?;
    let is_worth_it = us == Us::Sweeper { many: true }
        && socket.receive_buffer() >= ROOMY
        && thread::available_parallelism().is_ok_and(|n| n.get() > 1);
    let other = is_worth_it.then(|| silent.open(name).ok()).flatten(); // one does, if need be
    Ok((socket, other))
}

/// Octets of a ring for so many frames, or for as many as are given the memory.
fn ring(frames: usize, mtu: usize) -> usize {
    let slot = mtu.saturating_add(ROUND_A_FRAME).checked_next_power_of_two();
    slot.map_or(MOST_OCTETS, |slot| frames.saturating_mul(slot).min(MOST_OCTETS))
}

pub(crate) fn tap(global: &Global, name: &str) -> Result<Tap, Failure> {
    let options = Tap::options().tagged(!global.vlan.is_empty());
    let options = global.source_mac.iter().fold(options, |options, mac| options.mac(*mac));
    options.open(name).map_err(Failure::tap)
}

/// The interface whose addresses or routes cover `target` best.
fn leading_to(target: Option<Ipv4Addr>) -> Result<Interface, Failure> {
    let Some(target) = target else { return Err(Failure::usage("which link? Name it by -I")) };
    let interfaces = link::interfaces()
        .map_err(|error| Failure::link(format!("cannot list the interfaces: {error}")))?;
    let covers = |addr, len| Ipv4Network::new(addr, len).is_ok_and(|net| net.contains(target));
    let best = |interface: &Interface| {
        let addresses = interface.addresses.iter().map(|is| (is.addr, is.prefix_len, 0));
        let routes = interface.routes.iter();
        let routes = routes.map(|to| (to.destination.addr, to.destination.prefix_len, to.metric));
        let covering = addresses.chain(routes).filter(|&(addr, len, _)| covers(addr, len));
        covering.map(|(_, len, metric)| (len, Reverse(metric))).max()
    };
    let leading = interfaces
        .into_iter()
        .filter(|interface| interface.state != State::Down && best(interface).is_some());
    leading.max_by_key(best).ok_or_else(|| {
        Failure::usage(format!("no interface leads to {target}: name one by -I"))
            .hint("`sidestack interfaces` lists those there are; `-I lab` needs none")
    })
}

/// Octets of a slot that are not the MTU's: the kernel's header of it, the frame's own, its tags.
const ROUND_A_FRAME: usize = 128;

/// The MTU of an interface that does not tell.
const MTU: usize = 1500;

/// Octets of a ring, at most: the kernel gives it memory at once.
const MOST_OCTETS: usize = 16 << 20;

/// Octets that hold the answers to all that a second thread sends while we cannot take them in.
const ROOMY: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_a_slot_for_each_frame_however_long_it_may_be() {
        assert_eq!((ring(1024, 1500), ring(1024, 9000)), (1024 * 2048, 1024 * 16384));
        assert_eq!((ring(1 << 20, 1500), ring(usize::MAX, usize::MAX)), (16 << 20, 16 << 20));
    }
}
