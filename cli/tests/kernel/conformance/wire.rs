//! The host under test at one end of a wire, and at the other end we, with nothing but frames.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use link::{
    Direction, FrameIo, FrameTx, PacketSocket, Wait,
    namespace::{Namespace, veth},
};

use super::packet::{
    self, ARP, Arp, GATEWAY, Got, HOST, HOST_MAC, IPV4, Ip, OUR_MAC, US, unpadded,
};
use crate::run::{Form, Run};

/// The host, as `sidestack serve`, and our end.
pub(crate) struct Wire {
    /// Dropped first: it is in the namespace below.
    serve: Run,
    socket: PacketSocket,
    /// Addresses that we answer ARP for.
    pub(crate) answering: Vec<Ipv4Addr>,
    sentinel: u16,
    near: Namespace,
    far: Namespace,
}

impl Wire {
    /// [`HOST`] with a gateway.
    pub(crate) fn new() -> Result<Self, Failed> {
        Self::serving("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03 --gateway 10.77.0.254")
    }

    /// What `serve` makes of `args`, without probing.
    pub(crate) fn serving(args: &str) -> Result<Self, Failed> {
        let mut wire = Self::silent_start(&format!("--no-probe {args}"))?;
        wire.meet();
        Ok(wire)
    }

    /// The same, without a word from us before the test has its own.
    pub(crate) fn silent_start(args: &str) -> Result<Self, Failed> {
        let (near, far) = (Namespace::new()?, Namespace::new()?);
        veth(&near, "t0", OUR_MAC, &far, "s0", HOST_MAC)?;
        let options = PacketSocket::options().stamps(false).promiscuous(true);
        let socket = near.run(|| options.open("t0"))?;
        let mut serve = Run::start(&far, Form::Json, &format!("serve -I s0 {args}"))?;
        serve.until(r#""type":"start""#)?;
        let answering = vec![US, GATEWAY];
        Ok(Self { serve, socket, answering, sentinel: 0x8000, near, far })
    }

    /// One more `serve` at the host's end of the wire.
    pub(crate) fn beside(&self, args: &str) -> Result<Run, Failed> {
        let mut serve = Run::start(&self.far, Form::Json, &format!("serve -I s0 {args}"))?;
        serve.until(r#""type":"start""#)?;
        Ok(serve)
    }

    /// Takes the carrier away until the host says so, and gives it back.
    pub(crate) fn outage(&mut self) -> Result<(), Failed> {
        self.near.down("t0")?;
        self.serve.until(r#""state":"down""#)?;
        Ok(self.near.up("t0")?)
    }

    /// Makes the host learn where we are.
    fn meet(&mut self) {
        self.until_up(&Arp::request(HOST));
    }

    /// Asks until the host answers.
    pub(crate) fn until_up(&mut self, request: &Arp) {
        let until = self.socket.now() + PATIENCE;
        while self.socket.now() < until {
            self.send(&request.broadcast());
            let heard = self.hear(Duration::from_millis(50));
            if heard.iter().any(|got| got.is_arp() && got.payload[7] == 2) {
                return;
            }
        }
        panic!("the host does not answer ARP");
    }

    pub(crate) fn send(&mut self, octets: &[u8]) {
        let sent = self.socket.transmit(octets.len(), &mut |out| out.copy_from_slice(octets));
        sent.expect("room for one");
        self.socket.flush().expect("the wire holds");
    }

    pub(crate) fn now(&self) -> Instant {
        self.socket.now()
    }

    /// All that comes within `time`; ARP requests for us are answered, and are in it too.
    pub(crate) fn hear(&mut self, time: Duration) -> Vec<Got> {
        let heard = self.hear_until(self.socket.now() + time);
        heard.into_iter().map(|(_, got)| got).collect()
    }

    /// The same until then, each with the time of its arrival.
    pub(crate) fn hear_until(&mut self, until: Instant) -> Vec<(Instant, Got)> {
        let mut heard = Vec::new();
        while self.socket.now() < until {
            heard.extend(self.take_in());
            self.socket.wait(Some(until), None).expect("the wire holds");
        }
        heard.extend(self.take_in());
        heard
    }

    /// Sends `frames`, and returns all that comes back before the answer to an echo sent after
    /// them, or with it: the host does one thing after the other.
    pub(crate) fn exchange<F: AsRef<[u8]>>(
        &mut self,
        frames: impl IntoIterator<Item = F>,
    ) -> Vec<Got> {
        for frame in frames {
            self.send(frame.as_ref());
        }
        self.sentinel += 1;
        let sentinel = Ip { ttl: 77, ..Ip::echo(self.sentinel, 4) };
        self.send(&sentinel.frame());
        let number = self.sentinel.to_be_bytes();
        let mut heard = Vec::new();
        let until = self.socket.now() + PATIENCE;
        while self.socket.now() < until {
            self.socket.wait(Some(until), None).expect("the wire holds");
            heard.extend(self.take_in().into_iter().map(|(_, got)| got));
            let end = heard.iter().position(|got| {
                got.ether_type == IPV4
                    && got.message().len() == 12
                    && got.message()[0] == 0
                    && got.message()[4..8] == [&[0x42, 0x17], &number[..]].concat()
            });
            if let Some(end) = end {
                heard.remove(end); // what waited for our answer to its ARP may come after it
                return heard;
            }
        }
        panic!("the host is dead; until then: {heard:02x?}");
    }

    /// Sends one frame, and returns the one answer to it.
    pub(crate) fn answer(&mut self, frame: &[u8]) -> Got {
        let heard = self.exchange([frame]);
        let [got] = &heard[..] else { panic!("{} answers: {heard:02x?}", heard.len()) };
        got.clone()
    }

    /// Sends frames, one after the other, to none of which an answer may come.
    pub(crate) fn silence<F: AsRef<[u8]>>(&mut self, frames: impl IntoIterator<Item = F>) {
        for (n, frame) in frames.into_iter().enumerate() {
            let heard = self.exchange([frame.as_ref()]);
            assert!(heard.is_empty(), "number {n} was answered: {heard:02x?}");
        }
    }

    /// Which echo requests, of those in these frames, are answered in full.
    pub(crate) fn echoed(&mut self, frames: &[Vec<u8>]) -> Vec<Got> {
        let mut heard = self.exchange(frames);
        heard.retain(|got| !got.is_arp());
        heard
    }

    /// Takes in what has come, without a look at it.
    pub(crate) fn drain(&mut self) {
        let now = self.socket.now();
        self.socket.recv(now, &mut |_, _| {}).expect("the wire holds");
    }

    /// What the program says.
    pub(crate) fn serve(&mut self) -> &mut Run {
        &mut self.serve
    }

    fn take_in(&mut self) -> Vec<(Instant, Got)> {
        let mut heard = Vec::new();
        let now = self.socket.now();
        let answering = &self.answering;
        let took = self.socket.recv(now, &mut |frame, tx| {
            if frame.direction() != Direction::Received || frame.src() == OUR_MAC {
                return;
            }
            let octets = unpadded(frame.dst(), frame.src(), frame.ether_type().0, frame.payload());
            let got = Got::parse(&octets);
            if got.is_arp() && got.payload[7] == 1 && answering.contains(&got.addr(24)) {
                let reply = Arp {
                    operation: 2,
                    spa: got.addr(24),
                    tha: got.src,
                    tpa: got.addr(14),
                    ..Arp::request(US)
                };
                let octets = packet::frame(got.src, OUR_MAC, ARP, &reply.octets());
                let sent = tx.transmit(octets.len(), &mut |out| out.copy_from_slice(&octets));
                sent.expect("room for one");
            }
            heard.push((frame.at(), got));
        });
        took.and_then(|_| self.socket.flush()).expect("the wire holds");
        heard
    }
}

/// Longer than any answer takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(10);
