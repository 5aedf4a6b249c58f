//! A station at the far end that plays whoever is wanted, and a host that lives with it.

use std::{
    mem,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType as Kind, IcmpEchoHeader, Icmpv4Slice,
    Icmpv4Type, Ipv4Slice, PacketBuilder,
};
use libtest_mimic::Failed;

use sidestack_stack::{
    Config, Event, Stack, What,
    icmp::{self, Echo, Outcome},
    link::{Direction, EtherType, Frame, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait},
};

use crate::net::{Net, PATIENCE, Tested, US, config, station};

/// A host at [`US`], and all that is at the far end of its wire.
pub(crate) struct Far {
    pub(crate) host: Stack<PacketSocket>,
    socket: PacketSocket,
    /// Who answers ARP requests.
    pub(crate) owners: Vec<(Ipv4Addr, MacAddr6)>,
    /// What an echo request is answered with.
    pub(crate) answer: fn(&Heard) -> Option<Vec<u8>>,
    heard: Vec<Heard>,
    _net: Net,
}

/// A frame that the host has sent.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) dst: MacAddr6,
    pub(crate) kind: EtherType,
    /// Padding included.
    payload: Vec<u8>,
}

impl Heard {
    fn new(frame: &Frame<'_>) -> Self {
        let (dst, kind) = (frame.dst(), frame.ether_type());
        Self { dst, kind, payload: frame.payload().to_vec() }
    }

    /// The packet without padding.
    pub(crate) fn packet(&self) -> Ipv4Slice<'_> {
        Ipv4Slice::from_slice(&self.payload).expect("an IPv4 packet that is whole")
    }

    /// Its octets.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.payload[..self.packet().header().total_len().into()]
    }

    /// The address asked for, if it is asked for by ARP.
    pub(crate) fn asked(&self) -> Option<Ipv4Addr> {
        let asks = self.kind == EtherType::ARP && self.payload[7] == 1;
        asks.then(|| Ipv4Addr::from([24, 25, 26, 27].map(|at| self.payload[at])))
    }

    /// The reply to an echo request, from whom it was for.
    pub(crate) fn reply(&self) -> Option<Vec<u8>> {
        let packet = self.packet();
        let message = Icmpv4Slice::from_slice(packet.payload().payload).ok()?;
        let Icmpv4Type::EchoRequest(IcmpEchoHeader { id, seq }) = message.icmp_type() else {
            return None;
        };
        let reply = Icmpv4Type::EchoReply(IcmpEchoHeader { id, seq });
        Some(to_us(packet.header().destination_addr(), reply, message.payload()))
    }
}

impl Far {
    /// With nobody there yet.
    pub(crate) fn new() -> Result<Self, Failed> {
        Self::with(config()?)
    }

    pub(crate) fn with(config: Config) -> Result<Self, Failed> {
        let net = Net::bare()?;
        let options = PacketSocket::options().stamps(false);
        let host = Stack::new(net.here.run(|| options.clone().open("here0"))?, config);
        let socket = net.far.run(|| options.promiscuous(true).open("far0"))?;
        Ok(Self {
            host,
            socket,
            owners: Vec::new(),
            answer: |_| None,
            heard: Vec::new(),
            _net: net,
        })
    }

    /// What comes of one echo, which is waited for a while.
    pub(crate) fn ask(&mut self, dst: Ipv4Addr, sequence: u16) -> Result<Outcome, Failed> {
        self.ask_for(&Echo { timeout: PATIENCE / 2, ..Echo::new(dst, sequence, &[0; 56]) })
    }

    pub(crate) fn ask_for(&mut self, echo: &Echo<'_>) -> Result<Outcome, Failed> {
        self.host.echo(self.now(), echo)?;
        self.until(|event| match event.what {
            What::Icmp(icmp::Event::Ended(ended)) if ended.sequence == echo.sequence => {
                Some(ended.outcome)
            }
            _ => None,
        })
    }

    /// Both live until the host tells what is wanted.
    pub(crate) fn until<T>(
        &mut self,
        mut want: impl FnMut(Event) -> Option<T>,
    ) -> Result<T, Failed> {
        let end = self.now() + PATIENCE;
        while self.now() < end {
            if let Some(found) = self.step()?.into_iter().find_map(&mut want) {
                return Ok(found);
            }
        }
        Err("nothing of the kind happened".into())
    }

    /// Both live until the host has sent so many frames since it was last listened to.
    pub(crate) fn hear_at_least(&mut self, count: usize) -> Result<Vec<Heard>, Failed> {
        let end = self.now() + PATIENCE;
        while self.heard.len() < count && self.now() < end {
            self.step()?;
        }
        Ok(self.hear())
    }

    /// Both live for that long at least.
    pub(crate) fn pass(&mut self, time: Duration) -> Tested {
        let end = self.now() + time;
        while self.now() < end {
            self.step()?;
        }
        self.step().map(drop)
    }

    /// The far end sends a frame.
    pub(crate) fn say(&mut self, octets: &[u8]) -> Result<(), Failed> {
        self.socket.transmit(octets.len(), &mut |out| out.copy_from_slice(octets))?;
        Ok(self.socket.flush()?)
    }

    /// What the host has sent since this was last asked for.
    pub(crate) fn hear(&mut self) -> Vec<Heard> {
        mem::take(&mut self.heard)
    }

    pub(crate) fn now(&self) -> Instant {
        self.host.link().now()
    }

    /// Each does what it has to, and neither waits long for the other.
    fn step(&mut self) -> Result<Vec<Event>, Failed> {
        let now = self.now();
        self.host.poll(now)?;
        self.listen()?;
        let until = self.host.deadline().into_iter().chain([now + STEP]).min();
        self.host.link_mut().wait(until, None)?;
        Ok(std::iter::from_fn(|| self.host.event()).collect())
    }

    fn listen(&mut self) -> Result<(), Failed> {
        let mut heard = Vec::new();
        let now = self.socket.now();
        let mut each = |frame: Frame<'_>, _: &mut dyn FrameTx| {
            if frame.direction() == Direction::Received {
                heard.push(Heard::new(&frame));
            }
        };
        while self.socket.recv(now, &mut each)? > 0 {}
        for frame in &heard {
            let owner = self.owners.iter().find(|owner| Some(owner.0) == frame.asked());
            let answer = match owner {
                Some(&owner) => Some(arp(ArpOperation::REPLY, owner, US)),
                None if frame.kind == EtherType::IPV4 => (self.answer)(frame),
                None => None,
            };
            answer.map_or(Ok(()), |answer| self.say(&answer))?;
        }
        self.heard.extend(heard);
        Ok(())
    }
}

/// A frame with what a station says by ARP: a reply to the host, a request to all.
pub(crate) fn arp(
    operation: ArpOperation,
    (addr, mac): (Ipv4Addr, MacAddr6),
    target: Ipv4Addr,
) -> Vec<u8> {
    let to_all = operation == ArpOperation::REQUEST;
    let dst = if to_all { MacAddr6::broadcast() } else { station(1) }.into_array();
    let (sender, addr, target) = (mac.into_array(), addr.octets(), target.octets());
    let (hardware, protocol) = (ArpHardwareId::ETHERNET, Kind::IPV4);
    let packet = ArpPacket::new(hardware, protocol, operation, &sender, &addr, &[0; 6], &target);
    let frame = PacketBuilder::ethernet2(sender, dst);
    let packet = frame.arp(packet.expect("addresses of a length that there is room for"));
    let mut octets = Vec::with_capacity(packet.size());
    packet.write(&mut octets).expect("there is room in memory");
    octets
}

/// A frame to the host with a message in it.
pub(crate) fn to_us(from: Ipv4Addr, message: Icmpv4Type, payload: &[u8]) -> Vec<u8> {
    let frame = PacketBuilder::ethernet2(station(2).into_array(), station(1).into_array());
    let packet = frame.ipv4(from.octets(), US.octets(), 64).icmpv4(message);
    let mut octets = Vec::with_capacity(packet.size(payload.len()));
    packet.write(&mut octets, payload).expect("there is room in memory");
    octets
}

/// How long one end may keep the other waiting.
const STEP: Duration = Duration::from_millis(2);
