//! Networks that are scanned: with two owners, none, mute, slow and unreachable ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use libtest_mimic::{Failed, Trial};
use link::{
    EtherType, Frame, FrameIo, FrameTx, MacAddr6, PacketSocket, Wait,
    namespace::{Namespace, veth},
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    net::{FAR_MAC, Net, OUR_MAC},
    run::{Form, Run, Said, Tested, run},
};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("a_scan_finds_a_kernel_and_does_not_ask_for_the_hosts_own", own_address),
        Trial::test("two_owners_of_one_address_are_two_lines_and_exit_code_1", two_owners),
        Trial::test("an_address_that_moves_back_and_forth_is_a_conflict", flapping),
        Trial::test("behind_proxy_arp_one_station_has_many_addresses", proxy),
        Trial::test("a_host_that_ignores_echoes_is_found_by_arp", mute),
        Trial::test("a_slow_host_is_late_and_a_silent_one_is_silent", slow_and_silent),
        Trial::test("a_network_that_nothing_leads_to_cannot_be_probed", unreachable),
        Trial::test("an_interrupted_scan_is_whole_and_is_gone_on_with", interrupted),
        Trial::test("a_link_deleted_in_mid_scan_ends_with_4_after_what_was_found", deleted),
    ]
}

fn own_address() -> Tested {
    let net = Net::new()?;
    net.here.add_address("v0", Ipv4Addr::new(10, 77, 0, 10), 24)?;
    let said = run(&net.here, Form::Text, "scan -r 0 -l -I v0", 0)?;
    let [line] = &said.out[..] else { panic!("{said:#?}") };
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(fields[..3], ["10.77.0.1", "02:00:00:4d:00:01", "(local)"]);
    assert!(fields[3].starts_with("arp ") && fields[4].ends_with(" ttl 64"), "{line}");
    assert!(said.errors.contains("SCAN 10.77.0.0/24 from 10.77.0.10 on v0: 253 to probe"));
    assert!(said.errors.contains("1 address, 1 owner, 0 conflicts; 253 probed"), "{said:#?}");
    assert!(said.errors.contains(", 0 dropped by the kernel"), "{said:#?}");
    Ok(())
}

fn two_owners() -> Tested {
    let net = Net::new()?;
    let serve = |mac| serve(&net.far, &format!("-S 10.77.0.5/24 --source-mac {mac}"));
    let (one, other) = (serve("02:00:00:00:00:aa")?, serve("00:50:56:00:00:0c")?);
    let said = scan(&net, Form::Json, "10.77.0.1-8", 1)?;
    let owners: BTreeMap<&str, &Value> = hosts(&said, "up")
        .filter(|host| host["ip"] == "10.77.0.5")
        .filter_map(|host| Some((host["mac"].as_str()?, host)))
        .collect();
    let macs: Vec<&str> = owners.keys().copied().collect();
    assert_eq!(macs, ["00:50:56:00:00:0c", "02:00:00:00:00:aa"]);
    assert!(owners.values().all(|host| host["conflict"] == true && host["owners"] == 2));
    assert!(owners.values().all(|host| host["arp"] == true));
    let answered = owners.values().filter(|host| host["echo"] == true).count();
    assert_eq!(answered, 1, "the echo was sent to one of them");
    assert_eq!(owners["00:50:56:00:00:0c"]["vendor"], "VMware, Inc.");
    let scanned = scanned(&said)?;
    assert_eq!(
        (&scanned["up"], &scanned["owners"], &scanned["conflicts"]),
        (&json!(2), &json!(3), &json!(1))
    );
    let conflict = said.of("conflict").next().ok_or("no conflict")?;
    assert_eq!(conflict["ip"], "10.77.0.5");
    let said = scan(&net, Form::Text, "10.77.0.1-8", 1)?;
    let told = said.out.iter().filter(|line| line.ends_with("\tCONFLICT 2 owners")).count();
    assert_eq!(told, 2, "{said:#?}");
    assert!(said.errors.contains("2 addresses, 3 owners, 1 conflict; 8 probed"), "{said:#?}");
    stop(one)?;
    stop(other)
}

/// It is at one place, 1.3 s later at another, and after the same time where it was before.
fn flapping() -> Tested {
    let net = Net::bare()?;
    let places = [2, 3, 2].map(|last| MacAddr6::new(2, 0, 0, 0, 0, last));
    let flapper = Flapper::start(&net, places)?;
    let said = scan(&net, Form::Json, "-r 4 --arp 10.77.0.5 10.77.0.9", 1)?;
    flapper.stop()?;
    let moves: Vec<_> = said.of("pairing").map(|is| (&is["old_mac"], &is["mac"])).collect();
    let (here, there) = (json!("02:00:00:00:00:02"), json!("02:00:00:00:00:03"));
    assert_eq!(moves, [(&here, &there), (&there, &here)]);
    let told: Vec<_> = hosts(&said, "up").map(|is| (&is["mac"], &is["conflict"])).collect();
    let (no, yes) = (json!(false), json!(true));
    assert_eq!(told, [(&here, &no), (&there, &no), (&here, &yes)]);
    assert_eq!(scanned(&said)?["conflicts"], 1);
    Ok(())
}

fn proxy() -> Tested {
    let (net, beyond) = (Net::new()?, Namespace::new()?);
    let mac = |last| MacAddr6::new(2, 0, 0, 99, 0, last);
    veth(&net.far, "g0", mac(1), &beyond, "g1", mac(2))?;
    let addr = |text: &str| text.parse::<Ipv4Addr>();
    net.far.add_address("g0", addr("10.99.0.1")?, 24)?;
    for (at, len) in [("10.99.0.2", 24), ("10.77.0.130", 32), ("10.77.0.131", 32)] {
        beyond.add_address("g1", addr(at)?, len)?;
    }
    beyond.add_route(Ipv4Addr::UNSPECIFIED, 0, addr("10.99.0.1")?)?;
    net.far.add_route(addr("10.77.0.128")?, 25, addr("10.99.0.2")?)?;
    net.far.forward()?;
    sysctl(&net.far, "net/ipv4/conf/f0/proxy_arp", "1")?;
    sysctl(&net.far, "net/ipv4/neigh/f0/proxy_delay", "0")?;
    let said = scan(&net, Form::Json, "10.77.0.1-2 10.77.0.130-131", 0)?;
    let found: Vec<_> =
        hosts(&said, "up").map(|is| (&is["ip"], &is["mac"], &is["same_mac"], &is["ttl"])).collect();
    let (ips, mac) =
        (["10.77.0.1", "10.77.0.130", "10.77.0.131"], json!(FAR_MAC.to_string().to_lowercase()));
    let [one, two, three] = ips.map(|ip| json!(ip));
    let (near, far) = (json!(64), json!(63));
    let expected =
        [(&one, &mac, &Value::Null, &near), (&two, &mac, &one, &far), (&three, &mac, &one, &far)];
    assert_eq!(found, expected);
    let said = scan(&net, Form::Text, "10.77.0.1-2 10.77.0.130-131", 0)?;
    assert!(said.errors.contains("02:00:00:4d:00:01 is at 3 addresses"), "{said:#?}");
    assert!(said.out[2].ends_with("\tsame MAC as 10.77.0.1"), "{said:#?}");
    Ok(())
}

fn mute() -> Tested {
    let net = Net::new()?;
    sysctl(&net.far, "net/ipv4/icmp_echo_ignore_all", "1")?;
    let said = scan(&net, Form::Text, "-r 0 -W 0.2 10.77.0.1", 0)?;
    assert!(said.out[0].ends_with("\techo -"), "{said:#?}");
    assert!(said.errors.contains("1 address answers ARP, and not the echo"), "{said:#?}");
    let said = scan(&net, Form::Text, "-r 0 -W 0.2 --echo 10.77.0.1", 1)?;
    assert_eq!(said.out.len(), 0);
    Ok(())
}

fn slow_and_silent() -> Tested {
    let net = Net::new()?;
    let hosts_of = "-S 10.77.0.5/24 10.77.0.6-7 --silent 10.77.0.6/32 --delay 10.77.0.7/32=600ms";
    let served = serve(&net.far, hosts_of)?;
    let said = scan(&net, Form::Json, "-r 0 -W 0.3 10.77.0.5-7", 0)?;
    let told: BTreeMap<_, _> = said
        .of("host")
        .filter_map(|is| Some((is["ip"].as_str()?, (&is["state"], &is["arp"], &is["echo"]))))
        .collect();
    let [up, silent, yes, no] = [json!("up"), json!("silent"), json!(true), json!(false)];
    assert_eq!(told["10.77.0.5"], (&up, &yes, &yes));
    assert_eq!(told["10.77.0.6"], (&silent, &no, &Value::Null));
    assert_eq!(told["10.77.0.7"], (&up, &yes, &no));
    let late = said.of("late").next().ok_or("nothing was late")?;
    assert_eq!(late["dst"], "10.77.0.7");
    assert!(late["rtt_ns"].as_u64() >= Some(600_000_000), "{late}");
    stop(served)
}

fn unreachable() -> Tested {
    let net = Net::new()?;
    let said = scan(&net, Form::Json, "192.168.99.0/30", 1)?;
    assert_eq!((said.of("unsent").count(), said.of("host").count()), (4, 0));
    net.far.forward()?;
    let said = scan(&net, Form::Json, "--gateway 10.77.0.1 192.168.99.1", 1)?;
    assert_eq!(hosts(&said, "silent").count(), 1);
    let error = said.of("icmp_error").next().ok_or("no error")?;
    assert_eq!((&error["from"], &error["icmp_type"]), (&json!("10.77.0.1"), &json!(3)));
    Ok(())
}

fn interrupted() -> Tested {
    let net = Net::new()?;
    let served = serve(&net.far, "-S 10.77.0.2/24 10.77.0.64/27")?;
    let all: BTreeSet<String> =
        [1, 2].into_iter().chain(64..96).map(|n| format!("10.77.0.{n}")).collect();
    let path = std::env::temp_dir().join(format!("scan-{}.jsonl", std::process::id()));
    let path = path.display().to_string();
    for (seed, heard) in [1_u64, 2, 9, 20, 33, 60].into_iter().enumerate() {
        let args = format!("scan {US} -r 0 -R --seed {seed} --rate 400 10.77.0.0/24");
        let mut program = Run::start(&net.here, Form::Json, &args)?;
        for _ in 0..heard {
            program.until(r#""type":"host""#)?;
        }
        program.signal(Signal::SIGINT)?;
        let first = program.ends(130)?;
        assert_eq!(scanned(&first)?["interrupted"], true);
        fs::write(&path, first.out.join("\n") + "\n")?;
        let rest = scan(&net, Form::Json, &format!("-r 0 --rate 400 --resume {path}"), 0)?;
        let whole = |said: &Said| -> BTreeSet<String> {
            let whole = said.of("host").filter(|host| host["interrupted"] == false);
            whole.map(|host| host["ip"].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert!(whole(&first).is_disjoint(&whole(&rest)), "nobody is probed again");
        assert_eq!(whole(&first).len() + whole(&rest).len(), 253);
        let up = |said: &Said| -> Vec<String> {
            hosts(said, "up").map(|host| host["ip"].as_str().unwrap_or_default().into()).collect()
        };
        let found: BTreeSet<String> = up(&first).into_iter().chain(up(&rest)).collect();
        assert_eq!(found, all, "after {heard} hosts");
    }
    fs::remove_file(&path)?;
    stop(served)
}

fn deleted() -> Tested {
    let net = Net::new()?;
    let mut program = Run::start(&net.here, Form::Json, &format!("scan {US} 10.77.0.0/24"))?;
    program.until(r#""state":"up""#)?;
    net.here.delete("v0")?;
    let said = program.ends(4)?;
    assert_eq!(hosts(&said, "up").count(), 1);
    assert_eq!(said.of("link").last().ok_or("no word of it")?["state"], "gone");
    assert_eq!((said.of("scanned").count(), said.of("error").count()), (1, 1));
    Ok(())
}

fn scan(net: &Net, form: Form, args: &str, code: i32) -> Result<Said, Failed> {
    run(&net.here, form, &format!("scan {US} {args}"), code)
}

fn hosts<'a>(said: &'a Said, state: &'a str) -> impl Iterator<Item = &'a Value> {
    said.of("host").filter(move |host| host["state"] == state)
}

fn scanned(said: &Said) -> Result<&Value, Failed> {
    Ok(said.of("scanned").next().ok_or("no figures")?)
}

/// Hosts at the far end of the wire.
fn serve(far: &Namespace, args: &str) -> Result<Run, Failed> {
    let mut program = Run::start(far, Form::Json, &format!("serve -I f0 --no-probe {args}"))?;
    program.until(r#""state":"serving""#)?;
    Ok(program)
}

fn stop(program: Run) -> Tested {
    program.signal(Signal::SIGINT)?;
    program.ends(0).map(drop)
}

fn sysctl(namespace: &Namespace, name: &str, value: &str) -> Tested {
    Ok(namespace.run(|| fs::write(format!("/proc/sys/{name}"), value))?)
}

/// A host at 10.77.0.5 that is at each of some places for 1.3 s.
struct Flapper {
    stop: Arc<AtomicBool>,
    life: JoinHandle<std::io::Result<()>>,
}

impl Flapper {
    fn start(net: &Net, places: [MacAddr6; 3]) -> Result<Self, Failed> {
        let options = PacketSocket::options().stamps(false);
        let mut socket = net.far.run(|| options.open("f0"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let life = thread::spawn(move || {
            let [first, later @ ..] = places;
            let mut due: Vec<(Instant, MacAddr6)> = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let now = socket.now();
                socket.recv(now, &mut |frame: Frame<'_>, tx: &mut dyn FrameTx| {
                    let asked =
                        frame.ether_type() == EtherType::ARP && frame.payload()[24..28] == FLAPPER;
                    if asked && frame.payload()[7] == 1 && due.is_empty() {
                        answer(tx, first);
                        let moves = (1..).map(|n| now + STAY * n).zip(later);
                        due.extend(moves);
                    }
                })?;
                for (_, place) in due.extract_if(.., |(at, _)| *at <= now) {
                    answer(&mut socket, place);
                }
                socket.flush()?;
                socket.wait(Some(now + STEP), None)?;
            }
            Ok(())
        });
        Ok(Self { stop, life })
    }

    fn stop(self) -> Tested {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.life.join().map_err(|_| "the flapper panicked")??)
    }
}

/// Says to us that 10.77.0.5 is at `place`.
fn answer(tx: &mut dyn FrameTx, place: MacAddr6) {
    let sent = tx.send(OUR_MAC, EtherType::ARP, 28, &mut |out| {
        out[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, 2]);
        out[8..14].copy_from_slice(place.as_bytes());
        out[14..18].copy_from_slice(&FLAPPER);
        out[18..24].copy_from_slice(OUR_MAC.as_bytes());
        out[24..28].copy_from_slice(&[10, 77, 0, 10]);
    });
    sent.expect("there is room for a few");
}

/// Who scans, and where.
const US: &str = "-I v0 -S 10.77.0.10/24 --no-probe";

const FLAPPER: [u8; 4] = [10, 77, 0, 5];

const STAY: Duration = Duration::from_millis(1300);

const STEP: Duration = Duration::from_millis(2);
