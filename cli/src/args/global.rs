use std::{net::Ipv4Addr, path::PathBuf};

use clap::Args;
use link::Tag;
use macaddr::MacAddr6;

use crate::value::{self, LinkName, Source, Via};

#[derive(Args)]
pub(crate) struct Global {
    /// The link: an interface, `tap:NAME`, `lab[:KEY=VALUE,...]`, `kernel-lab` or `pcap:FILE`
    ///
    /// A tap makes us a host behind a device of the kernel's, which can be a port of a bridge; it
    /// is made unless it is there, and its kernel's end is somebody else: name our address by -S.
    /// Keys of lab: hosts; loss, dup, reorder, corrupt, truncate and pad, each as 5%; burst=FRAMES
    /// that are lost in a row; delay and jitter, as 20ms; mtu=OCTETS, beyond which frames vanish;
    /// silent=arp or ip; twins; moves=TIMES, that the first host is said to be elsewhere or back;
    /// proxy=ADDRESSES that one station answers for; seed, pace. Without -I: the interface whose
    /// route covers the target.
    #[arg(short = 'I', long, value_name = "IF", global = true, value_parser = value::link_name)]
    pub(crate) interface: Option<LinkName>,
    /// The address we adopt; we answer ARP for it, after probing that it is free
    #[arg(
        short = 'S', long = "source", value_name = "IP[/LEN]", global = true,
        value_parser = value::source
    )]
    pub(crate) sources: Vec<Source>,
    /// The MAC address we adopt
    #[arg(long, value_name = "MAC", global = true, value_parser = value::station)]
    pub(crate) source_mac: Option<MacAddr6>,
    /// Who forwards what is for other networks
    #[arg(long, value_name = "IP", global = true)]
    pub(crate) gateway: Option<Ipv4Addr>,
    /// The next hop for the target, whatever the routes say; a MAC spares the ARP
    #[arg(long, value_name = "IP|MAC", global = true, value_parser = value::via)]
    pub(crate) via: Option<Via>,
    /// The VLAN that frames leave in; repeat it for a stack, outermost first
    #[arg(long, value_name = "ID[:PCP]", global = true, value_parser = value::tag)]
    pub(crate) vlan: Vec<Tag>,
    /// Adopt the address without probing for it first
    #[arg(long, global = true)]
    pub(crate) no_probe: bool,
    /// JSON lines on stdout
    #[arg(short = 'j', long, short_alias = 'J', global = true)]
    pub(crate) json: bool,
    /// Say more
    #[arg(short = 'v', long, global = true)]
    pub(crate) verbose: bool,
    /// Numeric output; always so
    #[arg(short = 'n', long, global = true, hide = true)]
    pub(crate) numeric: bool,
    /// IPv4; always so
    #[arg(short = '4', global = true, hide = true)]
    pub(crate) ipv4: bool,
    /// Record every frame sent and received: classic pcap if FILE ends in .pcap, else pcapng
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) pcap: Option<PathBuf>,
    /// Tell why each packet goes where it goes, and of each frame what its octets mean
    #[arg(long, global = true)]
    pub(crate) explain: bool,
    /// What is otherwise drawn at random: identifiers, cookies, probe times, a lab's faults
    #[arg(long, value_name = "N", global = true)]
    pub(crate) seed: Option<u64>,
}

impl Global {
    /// The address we adopt, where it can only be one.
    pub(crate) fn source(&self) -> Option<Source> {
        self.sources.first().copied()
    }

    /// Whether this option was given.
    pub(super) fn has(&self, flag: &str) -> bool {
        match flag {
            "-I" => self.interface.is_some(),
            "-S" => !self.sources.is_empty(),
            SECOND => self.sources.len() > 1,
            "--source-mac" => self.source_mac.is_some(),
            "--gateway" => self.gateway.is_some(),
            "--via" => self.via.is_some(),
            "--vlan" => !self.vlan.is_empty(),
            "--no-probe" => self.no_probe,
            "--pcap" => self.pcap.is_some(),
            "--explain" => self.explain,
            "-j" => self.json,
            "--seed" => self.seed.is_some(),
            _ => false,
        }
    }
}

/// Of -S, which only a host of many addresses repeats.
pub(super) const SECOND: &str = "a second -S";
