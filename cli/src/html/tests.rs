use std::{
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use macaddr::MacAddr6;

use super::{Findings, MOST_HOSTS, Owner, Page, State, page};
use crate::record::Time;

fn findings() -> Findings {
    let began = Time(SystemTime::UNIX_EPOCH);
    Findings::new("Scan", "eth0", Ipv4Addr::new(10, 0, 0, 1), began)
}

fn owner(n: u8, vendor: &'static str) -> Owner {
    Owner { mac: MacAddr6::new(0, 0x50, 0x56, 0, 0, n), vendor: Some(vendor) }
}

fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

/// Every address of a /16, in states that are told apart nowhere twice in a row.
fn mixed() -> Findings {
    let mut findings = findings();
    for n in 0..MOST_HOSTS as u32 {
        let addr = Ipv4Addr::from(0x0a4d_0000 | n);
        let chance = n.wrapping_mul(0x9e37_79b1) >> 24;
        match chance {
            0..120 => findings.answered(addr, micros(40 + u64::from(chance)), 64),
            120..160 => {
                findings.at(addr, owner(n as u8, "Some Vendor, Inc."), Some(micros(60)));
                findings.unanswered(addr);
            }
            160 => {
                findings.at(addr, owner(1, "One"), None);
                findings.at(addr, owner(2, "Two"), None);
            }
            161..190 => findings.mark(addr, State::Unreachable),
            190 => findings.mark(addr, State::New),
            191 => findings.mark(addr, State::Gone),
            _ => findings.unanswered(addr),
        }
    }
    findings
}

#[test]
fn names_of_strangers_stay_text() {
    let mut findings = findings();
    let hostile = "</td><script src=//evil>\"'&";
    findings.interface = hostile.into();
    findings.command = hostile.into();
    findings.title = hostile.into();
    for n in 1..3 {
        findings.at(Ipv4Addr::new(10, 0, 0, 9), owner(n, hostile), None);
    }
    let page = page::of(&findings).expect("a page");
    assert!(!page.contains("<script") && !page.contains(hostile));
    let escaped = "&lt;/td&gt;&lt;script src=//evil&gt;&quot;&#39;&amp;";
    assert_eq!(page.matches(escaped).count(), 10);
}

#[test]
fn a_page_of_65_536_hosts_is_below_a_million_octets() {
    let findings = mixed();
    let page = page::of(&findings).expect("a page");
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert_eq!(page.matches("<figure class=\"wide\">").count(), 1);
}

#[test]
fn a_few_networks_are_drawn_one_by_one_and_each_address_is_told_of() {
    let mut findings = findings();
    for net in 0..16 {
        for host in 0..=255 {
            findings.unanswered(Ipv4Addr::new(10, 0, net, host));
        }
    }
    let few = page::of(&findings).expect("a page");
    assert_eq!(few.matches("<title>").count(), 1 + 16 * 256);
    assert!(few.len() < 1_000_000, "{}", few.len());
    findings.unanswered(Ipv4Addr::new(10, 0, 16, 0));
    let many = page::of(&findings).expect("a page");
    assert_eq!(many.matches("/16</b> 4097 silent").count(), 1);
}

#[test]
fn what_is_found_beyond_the_bound_takes_no_more_room() {
    let mut findings = findings();
    for n in 0..2 * MOST_HOSTS as u32 {
        findings.unanswered(Ipv4Addr::from(0x0a00_0000 | n << 4));
    }
    assert_eq!(findings.hosts.len(), MOST_HOSTS);
    let page = page::of(&findings).expect("a page");
    assert_eq!(page.matches("<figure class=\"wide\">").count(), 8);
    assert!(page.contains("<p class=\"more\">8 more networks are not drawn.</p>"));
}

#[test]
fn each_state_follows_from_what_was_heard() {
    let addr = |n| Ipv4Addr::new(10, 0, 0, n);
    let mut findings = findings();
    findings.answered(addr(1), micros(50), 64);
    findings.unanswered(addr(2));
    findings.at(addr(3), owner(3, "Three"), Some(micros(70)));
    findings.at(addr(4), owner(4, "Four"), Some(micros(70)));
    findings.unanswered(addr(4));
    for n in [5, 6, 5] {
        findings.at(addr(5), owner(n, "Five"), None);
    }
    findings.mark(addr(6), State::Unreachable);
    findings.mark(addr(7), State::Unreachable);
    findings.answered(addr(7), micros(50), 64);
    findings.mark(addr(8), State::Gone);
    let states: Vec<State> = findings.hosts.values().map(|host| host.state()).collect();
    let expected = [
        State::Alive,
        State::Silent,
        State::Alive,
        State::ArpOnly,
        State::Conflict,
        State::Unreachable,
        State::Alive,
        State::Gone,
    ];
    assert_eq!(states, expected);
    assert_eq!(findings.requests(), (4, 2));
}

#[test]
fn a_page_takes_the_place_of_a_longer_file() {
    let path = std::env::temp_dir().join(format!("sidestack-html-{}", std::process::id()));
    std::fs::write(&path, [b'x'; 100_000]).expect("a file");
    let page = Page::open(&path).expect("it can be written");
    assert_eq!(std::fs::read(&path).map(|old| old.len()).ok(), Some(100_000));
    assert!(page.write(&findings()).is_ok());
    let text = std::fs::read_to_string(&path).expect("a page");
    std::fs::remove_file(&path).expect("it was there");
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"), "{text}");
    assert!(Page::open("/nonexistent/page.html".as_ref()).is_err());
}
