//! Hosts at the far end of the wire, of every kind.

use std::{
    fs,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use link::{
    EtherType, Frame, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait,
    namespace::{Namespace, veth},
};
use nix::sys::signal::Signal;

use crate::{
    net::{Net, OUR_MAC},
    run::{Form, Run, Tested},
};

/// Hosts at the far end of the wire.
pub(crate) fn serve(far: &Namespace, args: &str) -> Result<Run, Failed> {
    let mut program = Run::start(far, Form::Json, &format!("serve -I f0 --no-probe {args}"))?;
    program.until(r#""state":"serving""#)?;
    Ok(program)
}

/// Ends what [`serve`] began.
pub(crate) fn stop(program: Run) -> Tested {
    program.signal(Signal::SIGINT)?;
    program.ends(0).map(drop)
}

/// Sets a value of the kernel's.
pub(crate) fn sysctl(namespace: &Namespace, name: &str, value: &str) -> Tested {
    Ok(namespace.run(|| fs::write(format!("/proc/sys/{name}"), value))?)
}

/// A host of 10.77.0.130 and 10.77.0.131 behind the far kernel, which answers ARP for it; it is
/// there for as long as this is held.
pub(crate) fn behind_proxy_arp(net: &Net) -> Result<Namespace, Failed> {
    let beyond = Namespace::new()?;
    let mac = |last| MacAddr6::new(2, 0, 0, 99, 0, last);
    veth(&net.far, "g0", mac(1), &beyond, "g1", mac(2))?;
    let addr = |text: &str| text.parse::<Ipv4Addr>();
    net.far.add_address("g0", addr("10.99.0.1")?, 24)?;
    for (at, len) in [("10.99.0.2", 24), ("10.77.0.130", 32), ("10.77.0.131", 32)] {
        beyond.add_address("g1", addr(at)?, len)?;
    }
    beyond.add_route(Ipv4Addr::UNSPECIFIED, 0, addr("10.99.0.1")?)?;
    net.far.add_route(addr("10.77.0.128")?, 25, addr("10.99.0.2")?)?;
    net.far.forward()?;
    sysctl(&net.far, "net/ipv4/conf/f0/proxy_arp", "1")?;
    sysctl(&net.far, "net/ipv4/neigh/f0/proxy_delay", "0")?;
    Ok(beyond)
}

/// A host at 10.77.0.5 that is at each of some places for 1.3 s.
pub(crate) struct Flapper {
    stop: Arc<AtomicBool>,
    life: JoinHandle<std::io::Result<()>>,
}

impl Flapper {
    pub(crate) fn start(net: &Net, places: [MacAddr6; 3]) -> Result<Self, Failed> {
        let options = PacketSocket::options().stamps(false);
        let mut socket = net.far.run(|| options.open("f0"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let life = thread::spawn(move || {
            let [first, later @ ..] = places;
            let mut due: Vec<(Instant, MacAddr6)> = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let now = socket.now();
                socket.recv(now, &mut |frame: Frame<'_>, tx: &mut dyn FrameTx| {
                    let asked =
                        frame.ether_type() == EtherType::ARP && frame.payload()[24..28] == FLAPPER;
                    if asked && frame.payload()[7] == 1 && due.is_empty() {
                        answer(tx, first);
                        let moves = (1..).map(|n| now + STAY * n).zip(later);
                        due.extend(moves);
                    }
                })?;
                for (_, place) in due.extract_if(.., |(at, _)| *at <= now) {
                    answer(&mut socket, place);
                }
                socket.flush()?;
                socket.wait(Some(now + STEP), None)?;
            }
            Ok(())
        });
        Ok(Self { stop, life })
    }

    pub(crate) fn stop(self) -> Tested {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.life.join().map_err(|_| "the flapper panicked")??)
    }
}

/// Says to us that 10.77.0.5 is at `place`.
fn answer(tx: &mut dyn FrameTx, place: MacAddr6) {
    let sent = tx.send(OUR_MAC, EtherType::ARP, 28, &mut |out| {
        out[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 2]);
        out[8..14].copy_from_slice(place.as_bytes());
        out[14..18].copy_from_slice(&FLAPPER);
        out[18..24].copy_from_slice(OUR_MAC.as_bytes());
        out[24..28].copy_from_slice(&[10, 77, 0, 10]);
    });
    sent.expect("there is room for a few");
}

const FLAPPER: [u8; 4] = [10, 77, 0, 5];

const STAY: Duration = Duration::from_millis(1300);

const STEP: Duration = Duration::from_millis(2);
