mod adoption;

use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use ipnetwork::Ipv4Network;
use link::{FrameTx, Link, SendError, Source, Wait, namespace::KernelLab};
use macaddr::MacAddr6;
use stack::{Config, Discard, Stack, arp, icmp, ipv4::Hop};

use crate::{
    args::Global,
    capture::Capture,
    failure::Failure,
    identity::{Identity, Standing},
    open::{Opened, Us, open},
    record::{Mac, Record, Stamps, Time, VlanTag, source_name},
    report::Report,
    secrets::Secrets,
    signals::{Signals, Wish},
    target,
    value::Via,
};

pub(crate) use adoption::Probed;

/// An open link, and the host that we are on it.
pub(crate) struct Session {
    pub(crate) stack: Stack<Box<dyn Link>>,
    pub(crate) name: String,
    pub(crate) identity: Identity,
    signals: Signals,
    capture: Option<Capture>,
    pub(crate) receive_buffer: Option<usize>,
    stamps: Source,
    vlan: Vec<link::Tag>,
    us: Us,
    lab: Option<KernelLab>,
}

impl Session {
    /// Opens the link that `global` names, or that leads to `target`, and is `us` there.
    pub(crate) fn open(
        global: &Global,
        target: Option<Ipv4Addr>,
        us: Us,
        arp: arp::Config,
    ) -> Result<Self, Failure> {
        Self::over(global, target, us, arp, |link| link)
    }

    /// As [`Session::open`], over what `wrap` makes of the link.
    pub(crate) fn over(
        global: &Global,
        target: Option<Ipv4Addr>,
        us: Us,
        arp: arp::Config,
        wrap: impl FnOnce(Box<dyn Link>) -> Box<dyn Link>,
    ) -> Result<Self, Failure> {
        let signals = Signals::listen()?;
        let secrets = Secrets::draw(global.seed)?;
        let Opened { link, name, identity, capture, receive_buffer, stamps, lab } =
            open(global, target, us, secrets.seed)?;
        let config = Config {
            answers: matches!(
                us,
                Us::Host | Us::Sweeper { .. } | Us::Flooder { .. } | Us::Claimant(_)
            ) && identity.standing != Standing::Hosts,
            identifier: secrets.identifier,
            secret: secrets.keys,
            arp: arp::Config { seed: secrets.seed, ..arp },
            ..Config::new(identity.network)
        };
        let mut stack = Stack::new(wrap(link), config);
        for &(prefix, hop) in &identity.routes {
            stack.add_route(prefix, hop);
        }
        let vlan = global.vlan.clone();
        let mut session =
            Self { stack, name, identity, signals, capture, receive_buffer, stamps, vlan, us, lab };
        if let (Some(via), Some(target)) = (global.via, target) {
            session.override_route(target, via)?;
        }
        Ok(session)
    }

    /// Asks for those of `unasked` that the link has room for, and takes them off.
    pub(crate) fn ask(
        &mut self,
        unasked: &mut VecDeque<Ipv4Addr>,
    ) -> Result<Vec<Ipv4Addr>, Failure> {
        let (now, mut asked) = (self.now(), Vec::new());
        while let Some(&addr) = unasked.front() {
            match self.stack.resolve(now, addr) {
                Ok(()) => asked.extend(unasked.pop_front()),
                Err(SendError::Full) => break,
                Err(error) => return Err(Failure::link(format!("{}: {error}", self.name))),
            }
        }
        Ok(asked)
    }

    /// As [`Session::wait`], but not for long while somebody is `unasked`.
    pub(crate) fn wait_for_room(
        &mut self,
        unasked: &VecDeque<Ipv4Addr>,
        until: Option<Instant>,
    ) -> Result<(), Failure> {
        let soon = (!unasked.is_empty()).then(|| self.now() + ROOM);
        self.wait(until.into_iter().chain(soon).min())
    }

    /// Whether the host's kernel has `addr` on this link.
    pub(crate) fn host_owns(&self, addr: Ipv4Addr) -> bool {
        let beside_the_host = self.stamps == Source::Kernel && self.lab.is_none();
        beside_the_host
            && link::interface(&self.name)
                .is_ok_and(|is| is.addresses.iter().any(|address| address.addr == addr))
    }

    /// The time on the link.
    pub(crate) fn now(&self) -> Instant {
        self.stack.link().now()
    }

    /// The time of day at `at`.
    pub(crate) fn time(&self, at: Instant) -> Time {
        Time(self.stack.link().wall(at))
    }

    /// Our MAC address.
    pub(crate) fn mac(&self) -> MacAddr6 {
        self.stack.link().mac()
    }

    /// Lets the stack take in and send out; `true` if there is more to take in.
    pub(crate) fn poll(&mut self) -> Result<bool, Failure> {
        let now = self.now();
        self.stack.poll(now).map_err(|error| Failure::gone(&self.name, &error))
    }

    /// Sleeps until something comes in, is due, or is wished, or until `until`.
    pub(crate) fn wait(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        let until = until.into_iter().chain(self.stack.deadline()).min();
        let waited = self.stack.link_mut().wait(until, Some(self.signals.as_fd()));
        waited.map_err(|error| Failure::gone(&self.name, &error))
    }

    /// What a signal has asked for meanwhile.
    pub(crate) fn wish(&mut self) -> Option<Wish> {
        self.signals.heard()
    }

    /// The line that every run begins with.
    pub(crate) fn start(
        &self,
        report: &mut Report,
        cmd: &str,
        targets: &[impl ToString],
    ) -> Result<(), Failure> {
        let addr = self.identity.network.ip();
        report.record(&Record::Start {
            cmd,
            ts: self.time(self.now()),
            interface: &self.name,
            src: Some(addr).filter(|addr| !addr.is_unspecified()),
            src_mac: Some(Mac(self.mac())),
            vlan: self.vlan.iter().copied().map(VlanTag::from).collect(),
            targets: targets.iter().map(ToString::to_string).collect(),
            stamps: Some(self.stamps()),
        })
    }

    /// Who is asked to stamp what leaves and what arrives.
    pub(crate) fn stamps(&self) -> Stamps {
        let source = source_name(self.stamps);
        let by_hand = matches!(self.us, Us::Sweeper { .. } | Us::Flooder { .. })
            && self.stamps == Source::Kernel;
        Stamps { tx: if by_hand { source_name(Source::User) } else { source }, rx: source }
    }

    /// Tells what became of the link itself.
    pub(crate) fn link_changed(
        &self,
        report: &mut Report,
        at: Instant,
        event: link::Event,
    ) -> Result<(), Failure> {
        report.link(&self.name, self.time(at), event)
    }

    /// The same, where lines are results.
    pub(crate) fn link_noted(
        &self,
        report: &mut Report,
        at: Instant,
        event: link::Event,
    ) -> Result<(), Failure> {
        report.link_note(&self.name, self.time(at), event)
    }

    /// What a poll came to; if the link is gone, programs are told.
    pub(crate) fn or_gone(
        &self,
        polled: Result<bool, Failure>,
        report: &mut Report,
    ) -> Result<bool, Failure> {
        if polled.is_err() {
            let (ts, interface) = (self.time(self.now()), &self.name);
            report.record(&Record::Link { ts, interface, state: "gone", mtu: None, mac: None })?;
        }
        polled
    }

    /// ICMP errors that were about datagrams of others, or about none of ours that is in flight.
    pub(crate) fn foreign_errors(&self) -> u64 {
        let reasons = [icmp::Discard::ForeignError, icmp::Discard::StaleError];
        reasons.map(|why| self.stack.counters().discarded(Discard::Icmp(why))).iter().sum()
    }

    /// Reaches `target` by `via`, whatever the other routes say.
    pub(crate) fn override_route(&mut self, target: Ipv4Addr, via: Via) -> Result<(), Failure> {
        let hop = match via {
            Via::Gateway(gateway)
                if self.identity.network.contains(gateway)
                    && gateway != self.identity.network.ip()
                    && target::check_host(gateway, self.identity.network).is_ok() =>
            {
                Hop::Gateway(gateway)
            }
            Via::Gateway(gateway) => {
                let network = self.identity.network;
                let (ip, len) = (network.network(), network.prefix());
                return Err(Failure::usage(format!(
                    "--via {gateway} is no other host of {ip}/{len}"
                )));
            }
            Via::Station(mac) => {
                let now = self.now();
                self.stack.pin(now, target, mac);
                Hop::Connected
            }
        };
        self.stack.add_route(Ipv4Network::from(target), hop);
        Ok(())
    }

    /// Takes in what is still to be recorded, closes the link, and says what was lost of what came
    /// in, and whether the capture is whole.
    pub(crate) fn close(mut self, report: &mut Report) -> Result<(), Failure> {
        let _ = self.poll(); // the stamp of the last frame; a link that is gone has none
        let dropped = self.stack.link_mut().dropped();
        report.dropped(dropped);
        if dropped > 0 {
            report.note(format_args!("{dropped} packets dropped by the kernel"));
        }
        drop(self.stack);
        self.capture.map_or(Ok(()), Capture::verdict)
    }
}

/// How soon a link that was full may have room.
const ROOM: Duration = Duration::from_millis(10);
