mod arp;
mod global;
mod letters;
mod many;
mod ping;
mod send;
mod thresholds;

use std::{process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::{failure::Failure, report::Report, scan::Scan, serve::Serve, sniff::Sniff, value};
pub(crate) use arp::Arp;
pub(crate) use global::Global;
use global::SECOND;
pub(crate) use letters::{Letters, Times};
pub(crate) use many::Many;
pub(crate) use ping::{MtuDiscovery, Pattern, Ping};
pub(crate) use send::Send;
pub(crate) use thresholds::Thresholds;

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

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the interfaces, and whether they can be opened
    #[command(visible_alias = "if", after_help = EXIT_CODES)]
    Interfaces,
    /// Ask hosts for an echo, and time it
    #[command(after_help = EXIT_CODES)]
    Ping(Ping),
    /// Ask each host once, and a single one too; in all else as ping
    #[command(after_help = EXIT_CODES)]
    Fping(Ping),
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
    /// Write what makes a shell complete our command lines
    #[command(after_help = EXIT_CODES)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual page, of the program or of a command
    #[command(after_help = EXIT_CODES)]
    Man {
        /// Which command
        command: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct Route {
    /// Whom the way to is wanted
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// Find out by probes, too, how long a packet the path takes, whatever routers say of it
    ///
    /// What they say is probed, not believed; where they say nothing, it takes about 12 seconds.
    #[arg(long)]
    pub(crate) mtu: bool,
    /// How long to wait for the answer to each probe of --mtu; 1s by default
    #[arg(
        short = 'W', long, value_name = "DUR", requires = "mtu", value_parser = value::interval
    )]
    pub(crate) wait: Option<Duration>,
}

/// Reads the command line; what is wrong with it is told here.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let mut cli = Cli::try_parse().map_err(|error| refuse(&error))?;
    let obeyed = match &mut cli.command {
        Command::Fping(ping) => {
            ping.many.as_fping = true;
            Ok(())
        }
        Command::Arp(arp) => arp.obey(&mut cli.global),
        _ => Ok(()),
    };
    let checked = obeyed.and_then(|()| match cli.meaningless() {
        None => Ok(()),
        Some(flag) => {
            Err(Failure::usage(format!("{flag} means nothing to {}", cli.command.name())))
        }
    });
    checked.map_err(|failure| Report::new(cli.global.json).end(Err(failure)))?;
    Ok(cli)
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
            Command::Ping(ping) | Command::Fping(ping) if ping.letters.flood || ping.quiet => {
                &["--explain"]
            }
            Command::Ping(_) | Command::Fping(_) => &[],
            Command::Route(_) => &["--explain"],
            Command::Scan(_) | Command::Serve(_) => &["--via", "--explain"],
            Command::Completions { .. } | Command::Man { .. } => ALL,
            Command::Interfaces => LINKS,
            Command::Sniff(_) => &LINKS[1..],
            Command::Arp(Arp { quiet: true, .. }) if self.global.explain => &["--explain"],
            Command::Send(_) => &["-S", "--gateway", "--via", "--no-probe", "--explain"],
            Command::Arp(Arp { probe: true, .. }) => &["-S", "--gateway", "--via", "--no-probe"],
            Command::Arp(Arp { announce, advertise, .. }) if *announce || *advertise => {
                &["-S", "--gateway", "--via"]
            }
            Command::Arp(_) => &["--gateway", "--via"],
        };
        let one_only = !matches!(self.command, Command::Serve(_));
        let second = one_only.then_some(&SECOND);
        useless.iter().chain(second).find(|flag| self.global.has(flag)).copied()
    }
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Interfaces => "interfaces",
            Self::Ping(_) => "ping",
            Self::Fping(_) => "fping",
            Self::Arp(Arp { probe: true, .. }) => "arp probe",
            Self::Arp(Arp { announce: true, .. }) => "arp announce",
            Self::Arp(Arp { advertise: true, .. }) => "arp announce -A",
            Self::Arp(_) => "arp",
            Self::Send(_) => "send",
            Self::Sniff(_) => "sniff",
            Self::Scan(_) => "scan",
            Self::Serve(_) => "serve",
            Self::Route(_) => "route",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }
}

/// What only a link needs.
const LINKS: &[&str] = ALL.split_at(9).0;

/// What a command that only writes has no use for: the first nine only a link needs.
const ALL: &[&str] = &[
    "-I",
    "-S",
    "--source-mac",
    "--gateway",
    "--via",
    "--vlan",
    "--no-probe",
    "--pcap",
    "--explain",
    "-j",
    "--seed",
];

const EXIT_CODES: &str = "\
Exit codes:
  0    ran to the end, and at least one reply, or the condition met
  1    ran, negative: no reply, a threshold missed, a conflict, not reached
  2    usage; a target or name that cannot be understood or resolved
  3    not permitted; says what to do
  4    the link or the system failed: no such device, gone, not Ethernet
  130  a bounded run cut by SIGINT, after printing what it had";
