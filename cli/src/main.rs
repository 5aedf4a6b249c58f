//! `sidestack`: ping, ARP and raw frames from an address, MAC or VLAN that the host does not own.

#![forbid(unsafe_code)]

mod args;
mod arp;
mod capture;
mod explain;
mod failure;
mod frame;
mod html;
mod identity;
mod interfaces;
mod lab;
mod open;
mod pen;
mod ping;
mod privilege;
mod record;
mod report;
mod route;
mod scan;
mod secrets;
mod send;
mod serve;
mod session;
mod shell;
mod signals;
mod sniff;
mod statistics;
mod target;
mod targets;
mod text;
mod threshold;
mod value;
mod vendor;

use std::process::ExitCode;

use args::Command;
use report::Report;

fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let mut report = Report::new(args.global.json);
    let ended = match &args.command {
        Command::Interfaces => interfaces::run(&mut report),
        Command::Ping(ping) | Command::Fping(ping) => ping::run(&args.global, ping, &mut report),
        Command::Arp(arp) => arp::run(&args.global, arp, &mut report),
        Command::Send(send) => send::run(&args.global, send, &mut report),
        Command::Sniff(sniff) => sniff::run(&args.global, sniff, &mut report),
        Command::Scan(scan) => scan::run(&args.global, scan, &mut report),
        Command::Serve(serve) => serve::run(&args.global, serve, &mut report),
        Command::Route(route) => route::run(&args.global, route, &mut report),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { command } => shell::man(command.as_deref()),
    };
    report.end(ended)
}
