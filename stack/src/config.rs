use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

/// What a [`Stack`](crate::Stack) is made with.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Our address, and the network that it connects.
    pub network: Ipv4Network,
    /// Who forwards what is for other networks.
    pub gateway: Option<Ipv4Addr>,
    /// Whether to answer ARP and echo requests; not where another stack does, as the kernel does
    /// for its own addresses.
    pub answers: bool,
    /// Marks our echo requests; to be drawn at random for each run.
    pub identifier: u16,
    /// What cookies and identifications are made with; to be drawn at random for each run.
    pub secret: [[u8; 16]; 2],
    /// The knobs of address resolution; its `answers` is the one above.
    pub arp: arp::Config,
    /// How many ICMP errors to send in all (RFC 1812 §4.3.2.8).
    pub errors: icmp::Limit,
}

impl Config {
    /// A host that answers, without a gateway and without secrets.
    pub fn new(network: Ipv4Network) -> Self {
        let (identifier, secret, arp) = (1, [[0; 16]; 2], arp::Config::default());
        let errors = icmp::Config::default().errors;
        Self { network, gateway: None, answers: true, identifier, secret, arp, errors }
    }
}
