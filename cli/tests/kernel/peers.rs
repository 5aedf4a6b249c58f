//! Other people's tools against `serve`.

use std::{
    env,
    net::Ipv4Addr,
    process::{Command, Output},
};

use libtest_mimic::{Failed, Trial};
use link::{
    MacAddr6,
    namespace::{Namespace, veth},
};

use crate::run::{Form, Run, Tested};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        Trial::test("ping_of_any_size_is_answered", sizes),
        Trial::test("ping_sees_the_route_and_the_times_that_it_asks_for", options),
        Trial::test("ping_may_choose_the_service_and_forbid_fragments", service),
        Trial::test("arping_finds_the_address_in_use", arping),
        Trial::test("nmap_finds_the_host_and_its_one_protocol", nmap),
        Trial::test("arp_scan_finds_a_thousand_hosts", arp_scan),
        Trial::test("ping_has_every_router_recorded_there_and_back", routers),
        Trial::test("traceroute_sees_every_router_on_the_way", traceroute),
    ]
}

fn sizes() -> Tested {
    let Some(bench) = Bench::new("ping", "-S 10.77.0.3/24")? else { return Ok(()) };
    for size in ["0", "1", "56", "1472", "1473", "2000", "8192", "65507"] {
        bench.run(0, &["-n", "-c", "2", "-i", "0.2", "-W", "5", "-s", size, HOST])?;
    }
    Ok(())
}

fn options() -> Tested {
    let Some(bench) = Bench::new("ping", "-S 10.77.0.3/24")? else { return Ok(()) };
    let route = bench.run(0, &["-n", "-c", "1", "-W", "5", "-R", HOST])?;
    assert!(route.contains("RR:") && route.matches(HOST).count() >= 4, "{route}");
    for kind in ["tsonly", "tsandaddr"] {
        let times = bench.run(0, &["-n", "-c", "1", "-W", "5", "-T", kind, HOST])?;
        assert!(times.contains("TS:"), "{times}");
    }
    Ok(())
}

fn service() -> Tested {
    let Some(bench) = Bench::new("ping", "-S 10.77.0.3/24")? else { return Ok(()) };
    bench.run(0, &["-n", "-c", "1", "-W", "5", "-Q", "0xb8", HOST])?;
    bench.run(0, &["-n", "-c", "1", "-W", "5", "-M", "do", "-s", "1472", HOST])?;
    Ok(())
}

/// The one of iputils: another of the same name has no probe.
fn arping() -> Tested {
    let Some(bench) = Bench::new("arping", "-S 10.77.0.3/24")? else { return Ok(()) };
    let version = bench.output(&["-V"])?;
    if !String::from_utf8_lossy(&version.stdout).contains("iputils") {
        return left_out("the arping of iputils");
    }
    let taken = bench.run(1, &["-D", "-c", "2", "-w", "3", "-I", "t0", HOST])?;
    assert!(taken.contains("reply from 10.77.0.3"), "{taken}");
    bench.run(0, &["-D", "-c", "1", "-w", "2", "-I", "t0", "10.77.0.99"])?;
    bench.run(0, &["-c", "2", "-w", "3", "-I", "t0", HOST]).map(drop)
}

fn nmap() -> Tested {
    let Some(bench) = Bench::new("nmap", "-S 10.77.0.3/24")? else { return Ok(()) };
    let up = bench.run(0, &["-n", "-sn", "-e", "t0", HOST])?;
    assert!(up.contains("1 host up"), "{up}");
    let protocols =
        bench.run(0, &["-n", "-sO", "-p", "1,2,253", "-e", "t0", "--max-retries", "2", HOST])?;
    let state = |protocol: &str| {
        let line = protocols.lines().find(|line| line.starts_with(protocol));
        line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("missing")
    };
    assert_eq!([state("1 "), state("253 ")], ["open", "closed"], "{protocols}");
    Ok(())
}

fn arp_scan() -> Tested {
    let Some(bench) = Bench::new("arp-scan", "--mac-per-host 10.77.4.0/22")? else { return Ok(()) };
    let found =
        bench.run(0, &["-I", "t0", "-q", "-x", "-N", "-i", "1", "-r", "2", "10.77.4.0/22"])?;
    let mut macs: Vec<&str> = found.lines().filter_map(|line| line.split('\t').nth(1)).collect();
    let answers = macs.len();
    macs.sort_unstable();
    macs.dedup();
    assert_eq!((answers, macs.len()), (1024, 1024));
    Ok(())
}

fn routers() -> Tested {
    let args = "-S 10.77.0.254/24 --routers 3 10.99.0.0/16";
    let Some(bench) = Bench::new("ping", args)? else { return Ok(()) };
    bench.here.add_route(Ipv4Addr::new(10, 99, 0, 0), 16, Ipv4Addr::new(10, 77, 0, 254))?;
    let told = bench.run(0, &["-n", "-c", "1", "-W", "5", "-R", "10.99.7.8"])?;
    let (_, way) = told.split_once("RR:").ok_or_else(|| told.clone())?;
    let way: Vec<&str> = way.split_whitespace().take_while(|word| *word != "---").collect();
    let there = ["10.77.0.1", "10.77.0.254", "172.31.255.2", "172.31.255.3", "10.99.7.8"];
    let back = ["172.31.255.3", "172.31.255.2", "10.77.0.254", "10.77.0.1"];
    assert_eq!(way, [&there[..], &back].concat(), "{told}");
    Ok(())
}

fn traceroute() -> Tested {
    let args = "-S 10.77.0.254/24 --routers 5 10.99.0.0/16";
    let Some(bench) = Bench::new("traceroute", args)? else { return Ok(()) };
    bench.here.add_route(Ipv4Addr::new(10, 99, 0, 0), 16, Ipv4Addr::new(10, 77, 0, 254))?;
    let path = bench.run(0, &["-n", "-I", "-q", "1", "-w", "3", "10.99.7.8"])?;
    let hops: Vec<&str> =
        path.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(
        (hops.len(), hops.first(), hops.last()),
        (6, Some(&"10.77.0.254"), Some(&"10.99.7.8"))
    );
    Ok(())
}

/// A kernel with a tool at one end of a wire, and `serve` at the other.
struct Bench {
    here: Namespace,
    tool: &'static str,
    _serve: Run,
    _far: Namespace,
}

impl Bench {
    /// `None`, with a word to say so, where the tool is not installed.
    fn new(tool: &'static str, serve: &str) -> Result<Option<Self>, Failed> {
        if Command::new(tool).arg("--version").output().is_err() {
            return left_out(tool).map(|()| None);
        }
        let (here, far) = (Namespace::new()?, Namespace::new()?);
        let mac = |last| MacAddr6::new(2, 0, 0, 0, 0, last);
        veth(&here, "t0", mac(1), &far, "s0", mac(3))?;
        here.add_address("t0", Ipv4Addr::new(10, 77, 0, 1), 16)?;
        let mut run = Run::start(&far, Form::Json, &format!("serve -I s0 --no-probe {serve}"))?;
        run.until(r#""type":"start""#)?;
        Ok(Some(Self { here, tool, _serve: run, _far: far }))
    }

    /// What the tool prints, if it ends with this exit code.
    fn run(&self, code: i32, args: &[&str]) -> Result<String, Failed> {
        let output = self.output(args)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() != Some(code) {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(
                format!("{} {args:?}: {}: {said}\n{errors}", self.tool, output.status).into()
            );
        }
        Ok(said)
    }

    fn output(&self, args: &[&str]) -> Result<Output, Failed> {
        Ok(self.here.run(|| Command::new(self.tool).args(args).output())?)
    }
}

/// Says so on one line; where everything is to be tested, that is a failure.
pub(crate) fn left_out(tool: &str) -> Tested {
    if env::var_os("CI").is_some() {
        return Err(format!("{tool} is not installed").into());
    }
    eprintln!("left out: {tool} is not installed");
    Ok(())
}

const HOST: &str = "10.77.0.3";
