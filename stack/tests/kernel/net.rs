//! A wire between us and a kernel, and how to live on it.

use std::{net::Ipv4Addr, os::fd::BorrowedFd, time::Duration};

use libtest_mimic::{Failed, Trial};

use sidestack_stack::{
    Config, Event, Stack, What,
    icmp::{self, Echo, Outcome},
    link::{
        Link, MacAddr6, Options, PacketSocket, Source,
        namespace::{KernelLab, Namespace, veth},
    },
};

use crate::noted::Noted;

pub(crate) type Host = Stack<Noted<PacketSocket>>;

pub(crate) type Tested = Result<(), Failed>;

/// Our end of a wire, without an address, and a kernel that is [`FAR`] at the other.
pub(crate) struct Net {
    pub(crate) here: Namespace,
    pub(crate) far: Namespace,
}

impl Net {
    pub(crate) fn new() -> Result<Self, Failed> {
        let net = Self::bare()?;
        net.far.add_address("far0", FAR, 24)?;
        Ok(net)
    }

    /// With nobody at the far end.
    pub(crate) fn bare() -> Result<Self, Failed> {
        let (here, far) = (Namespace::new()?, Namespace::new()?);
        veth(&here, "here0", station(1), &far, "far0", station(2))?;
        Ok(Self { here, far })
    }

    /// A host at [`US`] on our end.
    pub(crate) fn host(&self, options: Options) -> Result<Host, Failed> {
        let socket = self.here.run(|| options.open("here0"))?;
        Ok(Stack::new(Noted::new(socket), config()?))
    }
}

/// A host for whom the kernel has begun to stamp, which it does for everybody on the machine, and
/// as long as somebody asks; on a busy machine it is a while after it was asked.
pub(crate) fn stamping() -> Result<Host, Failed> {
    let mut host = Net::new()?.host(PacketSocket::options())?;
    for sequence in 0..10_000 {
        if let Outcome::Reply { tx: Source::Kernel, rx: Source::Kernel, .. } =
            ask(&mut host, FAR, sequence)?
        {
            return Ok(host);
        }
    }
    Err("only the user stamps".into())
}

pub(crate) fn config() -> Result<Config, Failed> {
    Ok(Config { identifier: 0x5135, ..Config::new("10.77.0.10/24".parse()?) })
}

/// Ourselves in a laboratory of three namespaces, with its router as the gateway.
pub(crate) fn in_lab(lab: &KernelLab) -> Result<Stack<PacketSocket>, Failed> {
    let socket = lab.here.run(|| PacketSocket::open(KernelLab::INTERFACE))?;
    let gateway = Some(Ipv4Addr::new(10, 0, 0, 254));
    Ok(Stack::new(socket, Config { gateway, ..Config::new("10.0.0.1/24".parse()?) }))
}

/// What comes of one echo, which is waited for longer than a kernel asks for a neighbour.
pub(crate) fn ask<L: Link>(
    stack: &mut Stack<L>,
    dst: Ipv4Addr,
    sequence: u16,
) -> Result<Outcome, Failed> {
    ask_for(stack, &Echo { timeout: PATIENCE / 2, ..Echo::new(dst, sequence, &[0; 56]) })
}

pub(crate) fn ask_for<L: Link>(stack: &mut Stack<L>, echo: &Echo<'_>) -> Result<Outcome, Failed> {
    stack.echo(stack.link().now(), echo)?;
    next(stack, |event| match event.what {
        What::Icmp(icmp::Event::Ended(ended)) if ended.sequence == echo.sequence => {
            Some(ended.outcome)
        }
        _ => None,
    })
}

/// Lives until an event is what is wanted.
pub(crate) fn next<L: Link, T>(
    stack: &mut Stack<L>,
    mut want: impl FnMut(Event) -> Option<T>,
) -> Result<T, Failed> {
    live(stack, None, |stack| {
        while let Some(event) = stack.event() {
            if let Some(found) = want(event) {
                return Some(found);
            }
        }
        None
    })
}

/// Lives until `done`, which is asked again whenever something has happened here, or at `wake`.
pub(crate) fn live<L: Link, T>(
    stack: &mut Stack<L>,
    wake: Option<BorrowedFd<'_>>,
    mut done: impl FnMut(&mut Stack<L>) -> Option<T>,
) -> Result<T, Failed> {
    let end = stack.link().now() + PATIENCE;
    loop {
        let now = stack.link().now();
        let more = stack.poll(now)?;
        if let Some(done) = done(stack) {
            return Ok(done);
        }
        if now > end {
            return Err("nothing of the kind happened".into());
        }
        if !more {
            let until = stack.deadline().into_iter().chain([end]).min();
            stack.link_mut().wait(until, wake)?;
        }
    }
}

pub(crate) fn is_reply(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Reply { len: 64, .. })
}

pub(crate) fn test(name: &str, run: fn() -> Tested) -> Trial {
    Trial::test(name, run)
}

pub(crate) const fn station(host: u8) -> MacAddr6 {
    MacAddr6::new(2, 0, 0, 77, 0, host)
}

pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 10);
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// Nobody.
pub(crate) const DEAD: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 99);

/// Longer than anything takes that will happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
