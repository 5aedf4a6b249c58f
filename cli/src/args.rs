mod many;

use std::{net::Ipv4Addr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use link::Tag;
use macaddr::MacAddr6;

use crate::{
    failure::Failure,
    report::Report,
    scan::Scan,
    serve::Serve,
    value::{self, LinkName, Source, Via},
};
pub(crate) use many::Many;

/// Ping, ARP and raw frames from an address, MAC or VLAN that the host does not own.
///
/// Nothing here asks the kernel's IP stack for anything. Without privilege: -I lab is a network
/// in memory, -I kernel-lab a private one of the Linux kernel's own hosts; in both we are
/// 10.0.0.1/24, the first other host is 10.0.0.2, and 10.0.1.2 answers beyond the gateway.
#[derive(Parser)]
#[command(name = "sidestack", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
pub(crate) struct Global {
    /// The link: an interface, `tap:NAME`, `lab[:KEY=VALUE,...]`, `kernel-lab` or `pcap:FILE`
    ///
    /// A tap makes us a host behind a device of the kernel's, which can be a port of a bridge; it
    /// is made unless it is there, and its kernel's end is somebody else: name our address by -S.
    /// Keys of lab: hosts; loss, dup, reorder, corrupt, truncate and pad, each as 5%; burst=FRAMES
    /// that are lost in a row; delay and jitter, as 20ms; mtu=OCTETS, beyond which frames vanish;
    /// silent=arp or ip; twins; seed, pace. Without -I: the interface whose route covers the target.
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
    /// What is otherwise drawn at random: identifiers, cookies, probe times, a lab's faults
    #[arg(long, value_name = "N", global = true)]
    pub(crate) seed: Option<u64>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the interfaces, and whether they can be opened
    #[command(visible_alias = "if", after_help = EXIT_CODES)]
    Interfaces,
    /// Ask hosts for an echo, and time it
    #[command(visible_alias = "fping", after_help = EXIT_CODES)]
    Ping(Ping),
    /// Resolve addresses, probe for one, or announce one
    #[command(visible_aliases = ["arping", "resolve"], after_help = EXIT_CODES)]
    Arp(Arp),
    /// Send a frame as given
    #[command(after_help = EXIT_CODES)]
    Send(Send),
    /// Show what passes on a link, or is in a capture
    #[command(after_help = EXIT_CODES)]
    Sniff(Sniff),
    /// Be one to 65,536 hosts that answer ARP and echo requests, well or badly
    #[command(after_help = EXIT_CODES)]
    Serve(Serve),
    /// Find who is there, by ARP, by echo, or by both
    #[command(after_help = EXIT_CODES)]
    Scan(Scan),
    /// Explain how a target is reached
    #[command(after_help = EXIT_CODES)]
    Route(Route),
}

#[derive(Args)]
pub(crate) struct Ping {
    /// Whom to ask: an address or a name; or many
    ///
    /// Many: `10.0.0.0/24`, `10.0.0.1-50`, `a,b`, `@file`, `-` for standard input; `!X` excepts,
    /// `IP@MAC` says where it is.
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Stop after this many requests, to each target; of many, each is asked once otherwise
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Between two requests: `200ms`; a bare number is seconds. By default 1s, to many 10ms
    #[arg(short, long, value_name = "DUR", value_parser = value::interval)]
    pub(crate) interval: Option<Duration>,
    /// Stop after this long, whatever has come
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// How long to wait for each reply
    #[arg(
        short = 'W', long, value_name = "DUR", default_value = "1s",
        value_parser = value::interval
    )]
    pub(crate) wait: Duration,
    /// Octets of data; the first 8 are a cookie
    #[arg(short = 's', long, value_name = "BYTES", default_value_t = 56)]
    pub(crate) size: usize,
    /// What fills the data, up to 16 octets, repeated
    #[arg(short, long, value_name = "HEX", value_parser = value::pattern)]
    pub(crate) pattern: Option<Pattern>,
    /// Hops that a request may take
    #[arg(
        short, long, value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u8).range(1..)
    )]
    pub(crate) ttl: u8,
    /// Type of service, decimal or 0x..
    #[arg(short = 'Q', long, value_name = "TOS", default_value = "0", value_parser = value::octet)]
    pub(crate) tos: u8,
    /// Path MTU discovery: may routers fragment?
    #[arg(short = 'M', long, value_name = "HOW", default_value = "want")]
    pub(crate) mtu_discovery: MtuDiscovery,
    /// Only the header and the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Begin each line with the time
    #[arg(short = 'D', long)]
    pub(crate) timestamps: bool,
    #[command(flatten)]
    pub(crate) many: Many,
}

/// The octets of -p; a type of its own, or clap would take it for many values.
#[derive(Clone)]
pub(crate) struct Pattern(pub(crate) Vec<u8>);

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(crate) enum MtuDiscovery {
    /// They may not
    Do,
    /// They may not
    Want,
    /// They may
    Dont,
}

#[derive(Args)]
pub(crate) struct Arp {
    /// Whom to ask for, or which address to probe for or to announce
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Probe whether anybody uses the address (RFC 5227): 0 if it is free
    #[arg(
        short = 'D', long, conflicts_with_all = ["announce", "advertise", "count", "interval",
        "deadline", "first"]
    )]
    pub(crate) probe: bool,
    /// Announce the address by requests
    #[arg(short = 'U', long, conflicts_with_all = ["advertise", "first"])]
    pub(crate) announce: bool,
    /// Announce the address by replies
    #[arg(short = 'A', long, conflicts_with = "first")]
    pub(crate) advertise: bool,
    /// Ask this many times, one second apart or more, instead of until it answers
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Between two requests or announcements; at least a second
    #[arg(
        short, long, value_name = "DUR", default_value = "1s", value_parser = value::arp_interval
    )]
    pub(crate) interval: Duration,
    /// Stop after this long, whatever has come
    #[arg(short = 'w', long, value_name = "DUR", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// With -c: stop at the first answer
    #[arg(short = 'f', long)]
    pub(crate) first: bool,
    /// Only the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args)]
pub(crate) struct Send {
    /// The frame in hexadecimal, Ethernet header first; with --ethertype, its payload
    #[arg(required_unless_present = "text", conflicts_with = "text")]
    pub(crate) hex: Vec<String>,
    /// The payload as text; needs --ethertype
    #[arg(long, requires = "ethertype")]
    pub(crate) text: Option<String>,
    /// The EtherType, as 0x0801; we write the Ethernet header
    #[arg(long, value_name = "TYPE", value_parser = value::ether_type)]
    pub(crate) ethertype: Option<u16>,
    /// With --ethertype: whom the frame is for; by default everybody, on loopback ourselves
    #[arg(long, value_name = "MAC", requires = "ethertype", value_parser = value::mac)]
    pub(crate) to: Option<MacAddr6>,
    /// Send it this many times
    #[arg(
        short, long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) count: u64,
    /// Between two of them
    #[arg(short, long, value_name = "DUR", default_value = "1s", value_parser = value::interval)]
    pub(crate) interval: Duration,
}

#[derive(Args)]
pub(crate) struct Sniff {
    /// Read a capture, pcap or pcapng, instead of a link; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) read: Option<PathBuf>,
    /// Write the frames to a file as well: classic pcap if its name ends in .pcap, else pcapng
    #[arg(short, long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// With -w: files of at most so many million octets (or k, m, g): FILE, FILE1, FILE2, ...
    #[arg(short = 'C', long, value_name = "SIZE", requires = "write", value_parser = value::file_size)]
    pub(crate) file_size: Option<u64>,
    /// Stop after this many frames
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Show only what this filter accepts, in the kernel: what `tcpdump -ddd` prints
    #[arg(long, value_name = "FILE", conflicts_with = "read")]
    pub(crate) bpf: Option<PathBuf>,
    /// Show the Ethernet header
    #[arg(short = 'e', long)]
    pub(crate) link_header: bool,
    /// Show what follows the Ethernet header, in hexadecimal
    #[arg(short = 'x', long)]
    pub(crate) hex: bool,
}

#[derive(Args)]
pub(crate) struct Route {
    /// Whom the way to is wanted
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
}

/// Reads the command line; what is wrong with it is told here.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let cli = Cli::try_parse().map_err(|error| refuse(&error))?;
    match cli.meaningless() {
        None => Ok(cli),
        Some(flag) => {
            let (json, what) = (cli.global.json, cli.command.name());
            Err(Report::new(json)
                .end(Err(Failure::usage(format!("{flag} means nothing to {what}")))))
        }
    }
}

fn refuse(error: &clap::Error) -> ExitCode {
    let wants_json =
        std::env::args_os().any(|arg| matches!(arg.to_str(), Some("-j" | "-J" | "--json")));
    let code = if error.use_stderr() { 2 } else { 0 };
    if code == 2 && wants_json {
        let text = error.to_string();
        let sentence: Vec<&str> =
            text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let message = sentence.join(" ");
        let failure = Failure::usage(message.trim_start_matches("error: "));
        return Report::new(true).end(Err(failure));
    }
    let _ = error.print(); // a closed pipe is quiet
    ExitCode::from(code)
}

impl Cli {
    /// A global option that was given, and that the command has no use for.
    fn meaningless(&self) -> Option<&'static str> {
        let useless: &[&str] = match &self.command {
            Command::Ping(_) | Command::Route(_) => &[],
            Command::Scan(_) | Command::Serve(_) => return self.global.via.map(|_| "--via"),
            Command::Interfaces => &[
                "-I",
                "-S",
                "--source-mac",
                "--gateway",
                "--via",
                "--vlan",
                "--no-probe",
                "--pcap",
            ],
            Command::Sniff(_) => {
                &["-S", "--source-mac", "--gateway", "--via", "--vlan", "--no-probe", "--pcap"]
            }
            Command::Arp(Arp { probe: true, .. }) | Command::Send(_) => {
                &["-S", "--gateway", "--via", "--no-probe"]
            }
            Command::Arp(Arp { announce, advertise, .. }) if *announce || *advertise => {
                &["-S", "--gateway", "--via"]
            }
            Command::Arp(_) => &["--gateway", "--via"],
        };
        useless.iter().chain([&SECOND]).find(|flag| self.global.has(flag)).copied()
    }
}

impl Global {
    /// The address we adopt, where it can only be one.
    pub(crate) fn source(&self) -> Option<Source> {
        self.sources.first().copied()
    }

    fn has(&self, flag: &str) -> bool {
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
            _ => false,
        }
    }
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Interfaces => "interfaces",
            Self::Ping(_) => "ping",
            Self::Arp(Arp { probe: true, .. }) => "arp -D",
            Self::Arp(Arp { announce: true, .. }) => "arp -U",
            Self::Arp(Arp { advertise: true, .. }) => "arp -A",
            Self::Arp(_) => "arp",
            Self::Send(_) => "send",
            Self::Sniff(_) => "sniff",
            Self::Scan(_) => "scan",
            Self::Serve(_) => "serve",
            Self::Route(_) => "route",
        }
    }
}

/// Of -S, which only a host of many addresses repeats.
const SECOND: &str = "a second -S";

const EXIT_CODES: &str = "\
Exit codes:
  0    ran to the end, and at least one reply, or the condition met
  1    ran, negative: no reply, a conflict, not reached
  2    usage; a target or name that cannot be understood or resolved
  3    not permitted; says what to do
  4    the link or the system failed: no such device, gone, not Ethernet
  130  a bounded run cut by SIGINT, after printing what it had";
