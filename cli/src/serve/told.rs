use std::net::Ipv4Addr;

use macaddr::MacAddr6;
use stack::{
    Event, What,
    arp::{self, Owner},
};

use super::Server;
use crate::{
    failure::Failure,
    record::{Mac, Record},
    report::Report,
};

impl Server {
    /// Says what has happened.
    pub(super) fn tell(&mut self, event: Event, report: &mut Report) -> Result<(), Failure> {
        let ts = self.time(event.at);
        match event.what {
            What::Link(event) => {
                if let link::Event::Mtu(mtu) = event
                    && mtu > self.mtu
                {
                    report.note(format_args!(
                        "{}: frames of more than {} octets are missed until serve begins anew",
                        self.name, self.mtu
                    ));
                }
                report.link(&self.name, ts, event)
            }
            What::Arp(arp::Event::Taken { addr: ip, mac } | arp::Event::Lost { addr: ip, mac }) => {
                report.line(format_args!("{ip} is left to {}", Mac(mac)))?;
                report.record(&Record::Adopt { ts, ip, state: "taken", mac: Some(Mac(mac)) })
            }
            What::Arp(arp::Event::Free { addr: ip }) => {
                let Some(mac) = self.mac_of(ip) else { return Ok(()) };
                report.record(&Record::Adopt { ts, ip, state: "ours", mac: Some(Mac(mac)) })
            }
            What::Arp(arp::Event::Conflict { .. } | arp::Event::Moved { .. })
                if !self.quota.take(event.at) =>
            {
                report.withhold();
                Ok(())
            }
            What::Arp(arp::Event::Conflict { addr: ip, kept, other }) => {
                report.line(format_args!(
                    "CONFLICT: {ip} is at {}, and {} claims it too",
                    Mac(kept),
                    Mac(other)
                ))?;
                report.record(&Record::Conflict { ts, ip, mac: Mac(kept), other: Mac(other) })
            }
            What::Arp(arp::Event::Moved { addr: ip, old, new }) => {
                report.line(format_args!("{ip} moved from {} to {}", Mac(old), Mac(new)))?;
                report.record(&Record::Pairing { ts, ip, old_mac: Mac(old), mac: Mac(new) })
            }
            What::Arp(_) | What::Icmp(_) => Ok(()), // of whom we answer
        }
    }

    /// The MAC address of an address that was named by -S: of others, only what is not ours is
    /// told.
    fn mac_of(&self, addr: Ipv4Addr) -> Option<MacAddr6> {
        let served = self.stack.served()?;
        served.hosts.mac(addr).filter(|_| served.kept.contains(&addr))
    }
}
