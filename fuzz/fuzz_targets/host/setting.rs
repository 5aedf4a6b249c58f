use std::{net::Ipv4Addr, time::Duration};

use link::{
    FrameTx,
    memory::{Faults, Network, Port},
};
use stack::{
    Beyond, Config, Hosts, Impaired, Impairment, Refused, Served, Stack, arp::Macs, ipv4::Hop,
};

/// Who is on the network besides the neighbour.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Many hosts instead of one.
    serves: bool,
    /// Each with a MAC address of its own.
    each: bool,
    /// Their addresses are probed for first.
    probes: bool,
    /// Half of them keep their addresses whoever claims them.
    keeps: bool,
    /// There are routers, and hosts behind them.
    beyond: bool,
    /// Some are told to be unreachable.
    refuses: bool,
    /// What some of them send fares ill.
    impaired: bool,
    /// The MTU is the least that there may be (RFC 791 §3.2).
    narrow: bool,
    seed: u8,
}

impl Setting {
    pub(crate) fn read([bits, seed]: [u8; 2]) -> Self {
        let bit = |n: u8| bits & 1 << n != 0;
        Self {
            serves: bit(0),
            each: bit(1),
            probes: bit(2),
            keeps: bit(3),
            beyond: bit(4),
            refuses: bit(5),
            impaired: bit(6),
            narrow: bit(7),
            seed,
        }
    }

    /// Makes it so on `port`.
    pub(crate) fn host(&self, network: &Network, port: Port) -> Stack<Impaired<Port>> {
        if self.narrow {
            port.line().set_mtu(68);
        }
        let (mac, now) = (port.mac(), network.now());
        let ills = Impairment {
            prefix: "10.0.0.8/29".parse().expect("a network"),
            faults: Faults {
                loss: 0.1,
                duplicate: 0.1,
                reorder: 0.1,
                corrupt: 0.1,
                jitter: Duration::from_millis(5),
                ..Faults::default()
            },
            ttl: Some(self.seed),
        };
        let ills = if self.impaired { vec![ills] } else { Vec::new() };
        let link = Impaired::new(now, port, &ills, self.seed.into());
        if !self.serves {
            let gateway = Some([10, 0, 0, 2].into());
            let config = Config::new("10.0.0.1/29".parse().expect("a network"));
            return Stack::new(link, Config { gateway, ..config });
        }
        let mut host = Stack::new(link, Config::new("0.0.0.0/32".parse().expect("a network")));
        host.add_route("10.0.0.0/24".parse().expect("a network"), Hop::Connected);
        let macs = if self.each { Macs::Each([2, 0]) } else { Macs::One(mac) };
        host.serve(now, self.served(macs), self.probes);
        host
    }

    fn served(&self, macs: Macs) -> Served {
        let hosts = Hosts::new(macs, [at(1)..=at(1), at(8)..=at(40)]);
        let kept = (1..=20).map(at).filter(|_| self.keeps).collect();
        let far = Hosts::new(macs, [Ipv4Addr::new(10, 1, 0, 0)..=Ipv4Addr::new(10, 1, 0, 20)]);
        let routers = vec![at(9), Ipv4Addr::new(172, 16, 0, 1), Ipv4Addr::new(172, 16, 0, 2)];
        let beyond = self.beyond.then_some(Beyond { routers, hosts: far });
        let refused = ["10.0.0.16/30", "10.1.0.8/29", "10.2.0.0/16"]
            .iter()
            .filter(|_| self.refuses)
            .map(|prefix| Refused { prefix: prefix.parse().expect("a network"), code: 13 });
        Served { hosts, kept, beyond, refused: refused.collect() }
    }
}

fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}
