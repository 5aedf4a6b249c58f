//! Times of a minute, by a real clock. These wait beside all others; what is asserted of a time is
//! what its RFC says, and nothing that a slow machine could break.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use link::{EtherType, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait};
use stack::{Config, Stack, What, arp};

use super::{
    packet::{self, Arp, BROADCAST, Got, HOST, ICMP, IPV4, Ip, OUR_MAC, US, echo, icmp},
    wire::Wire,
};
use crate::{
    net::Net,
    run::{PATIENCE, Tested},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("FRG-9_after_a_minute_the_rest_comes_too_late_and_its_sender_is_told", rest),
        Trial::test("LNK-2_a_neighbour_is_forgotten_after_a_minute", forgotten),
        Trial::test("ACD-7_after_ten_conflicts_one_address_is_tried_a_minute", contested),
        Trial::test("ACD-9_an_address_in_use_is_probed_for_when_the_link_comes_up_alone", in_use),
    ]
}

fn rest() -> Tested {
    let mut wire = Wire::new()?;
    let cut = |sequence: u16, starts: &[usize]| {
        Ip { id: 0x9000 | sequence, ..Ip::echo(sequence, 1_200) }.fragments(starts)
    };
    let [alone, headless, in_time, to_many] = [1, 2, 3, 4].map(|n| cut(n, &[0, 600]));
    let late = cut(5, &[0, 400, 800]);
    let to_many = Ip { dst: Ipv4Addr::new(10, 77, 0, 255), ..to_many[0].clone() };
    let quoted = Ip { src: HOST, dst: US, ..Ip::echo(6, 400) }.octets();
    let error = &Ip::new(ICMP, icmp(3, 1, [0; 4], &quoted)).fragments(&[0, 40])[0];
    let first = [
        alone[0].frame(),
        late[0].frame(),
        in_time[0].frame(),
        headless[1].frame(),
        packet::frame(BROADCAST, OUR_MAC, IPV4, &to_many.octets()),
        error.frame(),
    ];
    let mut heard = Vec::new();
    let began = first.map(|frame| {
        let before = wire.now();
        wire.send(&frame);
        heard.extend(wire.hear_until(before + SHORTLY)); // the host has taken it in
        before
    });
    heard.extend(wire.hear_until(began[1] + MINUTE / 2));
    wire.send(&late[1].frame()); // this does not begin the time anew
    heard.extend(wire.hear_until(began[2] + Duration::from_secs(55)));
    wire.send(&in_time[1].frame());
    heard.extend(wire.hear_until(began[3] + MINUTE + Duration::from_secs(1)));
    wire.send(&late[2].frame());
    wire.send(&headless[0].frame());
    let errors = |heard: &[(Instant, Got)]| {
        let heard = heard.iter().filter(|(_, got)| !got.is_arp() && got.icmp() == (11, 1));
        heard.cloned().collect::<Vec<_>>()
    };
    while errors(&heard).len() < 2 && wire.now() < began[1] + 2 * MINUTE {
        heard.extend(wire.hear_until(wire.now() + SHORTLY));
    }
    let done = [(); 2].map(|()| wire.echoed(&[])); // by the second the host has done what is due
    assert!(done.iter().all(Vec::is_empty), "{done:02x?}");
    heard.extend(wire.hear_until(wire.now() + SHORTLY));
    heard.retain(|(_, got)| !got.is_arp());
    let told = errors(&heard);
    assert_eq!((told.len(), heard.len()), (2, 3), "two errors and a reply: {heard:02x?}");
    for ((at, got), (fragment, began)) in told.iter().zip([&alone[0], &late[0]].iter().zip(began)) {
        let quote = &got.message()[8..];
        assert!(quote.len() >= 28 && fragment.octets().starts_with(quote), "{got:02x?}");
        let after = at.saturating_duration_since(began);
        assert!((MINUTE..=2 * MINUTE).contains(&after), "told after {after:?}");
    }
    let reply = heard.iter().find(|(_, got)| got.icmp() == (0, 0)).ok_or("no reply")?;
    assert_eq!(reply.1.message()[4..], echo(3, 1_200)[4..]);
    Ok(())
}

fn forgotten() -> Tested {
    let mut wire = Wire::new()?;
    let [known, forgotten] = [45, 46].map(|n| Ipv4Addr::new(10, 77, 0, n));
    for spa in [known, forgotten] {
        wire.answer(&Arp { spa, ..Arp::request(HOST) }.broadcast());
    }
    let began = wire.now();
    wire.hear_until(began + MINUTE / 2);
    let got = wire.answer(&Ip { src: known, ..Ip::echo(1, 8) }.frame());
    assert_eq!((got.icmp(), got.addr(16)), ((0, 0), known), "nobody is asked for");
    wire.hear_until(began + MINUTE + Duration::from_secs(1));
    let heard = wire.exchange([Ip { src: forgotten, ..Ip::echo(2, 8) }.frame()]);
    let asks = |got: &Got| got.is_arp() && got.dst == BROADCAST && got.addr(24) == forgotten;
    assert!(heard.iter().any(asks), "{heard:?}");
    assert!(heard.iter().all(Got::is_arp), "{heard:?}");
    Ok(())
}

/// No program makes another attempt after so many conflicts, so a host of the library's does.
fn contested() -> Tested {
    let net = Net::bare()?;
    let options = PacketSocket::options().stamps(false);
    let mut far = net.far.run(|| options.clone().open("f0"))?;
    let network = "10.77.0.10/24".parse()?;
    let mut host = Stack::new(net.here.run(|| options.open("v0"))?, Config::new(network));
    let thief = MacAddr6::new(2, 0, 0, 77, 0, 0x66);
    let wanted = (100..110).map(|n| Ipv4Addr::new(10, 77, 0, n));
    let next = [110, 111].map(|n| Ipv4Addr::new(10, 77, 0, n));
    wanted.for_each(|addr| host.probe(host.link().now(), addr));
    let (mut taken, mut contested, mut tried) = (0, None, Vec::new());
    let until = host.link().now() + MINUTE + PATIENCE;
    while tried.is_empty() && host.link().now() < until {
        let mut probes = Vec::new();
        let now = far.now();
        far.recv(now, &mut |frame, _| {
            if frame.ether_type() == EtherType::ARP {
                probes.push((frame.at(), address(&frame.payload()[24..28])));
            }
        })?;
        for (at, addr) in probes {
            if next.contains(&addr) {
                tried.push((at, addr));
                continue;
            }
            contested = Some(far.now());
            let claim = Arp { sha: thief, spa: addr, ..Arp::request(addr) }.broadcast();
            far.transmit(claim.len(), &mut |out| out.copy_from_slice(&claim))?;
            far.flush()?;
        }
        let now = host.link().now();
        host.poll(now)?;
        while let Some(event) = host.event() {
            if matches!(event.what, What::Arp(arp::Event::Taken { mac, .. }) if mac == thief) {
                taken += 1;
                if taken == 10 {
                    next.iter().for_each(|addr| host.probe(now, *addr));
                }
            }
        }
        let due = host.deadline().into_iter().chain([now + SHORTLY]).min();
        host.link_mut().wait(due, None)?;
    }
    assert_eq!(taken, 10);
    let (Some(contested), [(at, addr)]) = (contested, &tried[..]) else {
        return Err(format!("tried: {tried:?}").into());
    };
    let after = at.saturating_duration_since(contested);
    assert!(*addr == next[0] && after >= MINUTE, "{addr} {after:?} after the last conflict");
    Ok(())
}

fn in_use() -> Tested {
    let mut wire = Wire::silent_start("-S 10.77.0.3/24 --source-mac 02:00:00:00:00:03")?;
    probed_for_and_announced(&mut wire);
    let mut heard = Vec::new();
    for sequence in 0..15 {
        wire.send(&Ip::echo(sequence, 8).frame());
        heard.extend(wire.hear(Duration::from_secs(3)));
    }
    let (asked, replies): (Vec<_>, Vec<_>) = heard.iter().partition(|got| got.is_arp());
    assert!(asked.iter().all(|got| got.addr(24) == US), "{asked:?}");
    assert!(replies.len() == 15 && replies.iter().all(|got| got.icmp() == (0, 0)), "{replies:?}");
    wire.outage()?;
    probed_for_and_announced(&mut wire);
    Ok(())
}

/// Three times and twice, with nothing else.
fn probed_for_and_announced(wire: &mut Wire) {
    let until = wire.now() + PATIENCE;
    let mut heard = Vec::new();
    while heard.len() < 5 && wire.now() < until {
        heard.extend(wire.hear(SHORTLY));
    }
    let said: Vec<_> = heard.iter().map(|got| (got.addr(14), got.addr(24))).collect();
    let (probe, announcement) = ((Ipv4Addr::UNSPECIFIED, HOST), (HOST, HOST));
    assert_eq!(said, [probe, probe, probe, announcement, announcement]);
}

fn address(octets: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3])
}

const MINUTE: Duration = Duration::from_secs(60);

const SHORTLY: Duration = Duration::from_millis(50);
