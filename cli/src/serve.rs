mod args;
mod figures;
mod line;
mod metrics;
mod plan;
mod quota;
mod told;

use std::{
    net::Ipv4Addr,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use ipnetwork::Ipv4Network;
use link::{FrameIo, FrameTx, Link, Source, Wait};
use stack::{Census, Config, Impaired, Stack, What, arp, icmp, ipv4::Hop};

pub(crate) use args::Serve;

use self::{
    args::EVERYWHERE, figures::Figures, line::Line, metrics::Metrics, plan::Plan, quota::Quota,
};
use crate::{
    args::Global,
    failure::Failure,
    record::{Mac, Record, Stamps, Time, VlanTag, source_name},
    report::Report,
    secrets::Secrets,
    signals::{Signals, Wish},
};

/// Is as many hosts as `args` says, until somebody wants an end.
pub(crate) fn run(global: &Global, args: &Serve, report: &mut Report) -> Result<u8, Failure> {
    let signals = Signals::listen()?;
    let secrets = Secrets::draw(global.seed)?;
    let Line { link, name, plan, capture, in_memory, lab } =
        Line::open(global, args, secrets.seed)?;
    let now = link.now();
    let link = Impaired::new(now, link, &plan.impairments(args), secrets.seed);
    let mut networks = plan.networks();
    let config = Config {
        identifier: secrets.identifier,
        secret: secrets.keys,
        arp: arp::Config { seed: secrets.seed, ..arp::Config::default() },
        errors: ERRORS,
        // Without an address of its own, and so without any that is everybody's.
        ..Config::new(networks.next().unwrap_or_else(|| Ipv4Network::from(Ipv4Addr::UNSPECIFIED)))
    };
    let served = plan.served(args, link.mac());
    let mut stack = Stack::new(link, config);
    for network in networks {
        stack.add_address(network);
    }
    for prefix in plan.connected() {
        stack.add_route(prefix, Hop::Connected);
    }
    if let Some(gateway) = plan.gateway {
        stack.add_route(EVERYWHERE, Hop::Gateway(gateway));
    }
    let probe = !global.no_probe && !in_memory;
    stack.serve(now, served, probe);
    let mut metrics = args.metrics.clone().map(|path| Metrics::new(path, now));
    metrics.as_mut().map_or(Ok(()), |metrics| metrics.write(now, &mut stack, report.untold()))?;
    let deadline = args.deadline.map(|deadline| now + deadline);
    let has_kernel = !in_memory && lab.is_none() && global.vlan.is_empty();
    let look_up = has_kernel.then_some(now + LOOK_UP);
    let (mtu, claiming) = (stack.link().mtu(), probe);
    let (quota, left) = (Quota::new(now), false);
    let mut server =
        Server { stack, name, mtu, signals, metrics, deadline, look_up, claiming, quota, left };
    for prefix in plan.beyond_all(args) {
        report.note(format_args!(
            "--unreachable {prefix}: no host of ours, so told to who sends there through one of them"
        ));
    }
    report.go_live(); // whoever asks us is not to wait for whoever reads
    server.start(global, &plan, in_memory, report)?;
    let served = server.serve(report);
    let ended = server.end(now, report);
    let Server { stack, .. } = server;
    drop(stack);
    drop(lab);
    let verdict = capture.map_or(Ok(()), crate::capture::Capture::verdict);
    let code = served?;
    ended.and(verdict)?;
    Ok(code)
}

/// The hosts at work.
struct Server {
    stack: Stack<Impaired<Box<dyn Link>>>,
    name: String,
    /// What frames there is room for.
    mtu: usize,
    signals: Signals,
    metrics: Option<Metrics>,
    deadline: Option<Instant>,
    /// When to look what the kernel answers for by then.
    look_up: Option<Instant>,
    /// Not all addresses are ours yet that may be.
    claiming: bool,
    /// For what others claim, as often as they like.
    quota: Quota,
    /// An address was left to somebody else since we last looked who we are.
    left: bool,
}

impl Server {
    /// Says who we are.
    fn start(
        &mut self,
        global: &Global,
        plan: &Plan,
        in_memory: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (now, mac) = (self.stack.link().now(), self.stack.link().mac());
        let figures = Figures::of(&mut self.stack, report.untold());
        let source = source_name(if in_memory { Source::Virtual } else { Source::Kernel });
        report.record(&Record::Start {
            cmd: "serve",
            ts: self.time(now),
            interface: &self.name,
            src: plan.sources.first().map(|network| network.ip()),
            src_mac: Some(Mac(mac)),
            vlan: global.vlan.iter().copied().map(VlanTag::from).collect(),
            targets: plan.sources.iter().map(|network| network.ip().to_string()).collect(),
            stamps: Some(Stamps {
                tx: source_name(if in_memory { Source::Virtual } else { Source::User }),
                rx: source,
            }),
        })?;
        let hosts = figures.hosts;
        report.line(format_args!(
            "SERVE {hosts} address{} on {}, {} left alone",
            if hosts == 1 { "" } else { "es" },
            self.name,
            figures.left_alone,
        ))?;
        if !self.claiming {
            return report.record(&figures.record(self.time(now), "serving"));
        }
        let seconds = arp::Config::default().time_to_claim(figures.to_claim());
        let seconds = seconds.as_secs_f64();
        report.note(format_args!(
            "probing on {}: {seconds:.0} s until they are ours (--no-probe skips this)",
            self.name
        ));
        report.record(&figures.record(self.time(now), "probing"))
    }

    /// Answers until somebody wants an end, or all addresses are somebody else's.
    fn serve(&mut self, report: &mut Report) -> Result<u8, Failure> {
        let mut now = self.stack.link().now();
        let (mut look, mut busy) = (now, now);
        loop {
            let before = self.stack.counters().received();
            let polled = self.stack.poll(now);
            while let Some(event) = self.stack.event() {
                self.left |= matches!(
                    event.what,
                    What::Arp(arp::Event::Taken { .. } | arp::Event::Lost { .. })
                );
                self.tell(event, report)?;
            }
            let more = polled.map_err(|error| self.gone(&error, report))?;
            if let Some(code) = self.settled(now, report)? {
                return Ok(code);
            }
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(0);
            }
            if self.look_up.is_some_and(|look_up| look_up <= now) {
                self.look_up = Some(now + LOOK_UP);
                self.leave_to_the_kernel(now, report)?;
            }
            if let Some(metrics) = &mut self.metrics {
                metrics.keep(now, &mut self.stack, report);
            }
            let answered = self.stack.counters().received() != before;
            if answered {
                busy = now + SPIN;
            }
            if !more && busy <= now {
                self.wait(now, report)?;
                look = now;
            }
            if look <= now {
                look = now + LOOK;
                match self.signals.heard() {
                    Some(Wish::Stop) => return Ok(0),
                    Some(Wish::Figures) => {
                        report.aside(
                            Figures::of(&mut self.stack, report.untold())
                                .lines(&self.name)
                                .trim_end(),
                        );
                    }
                    None => {}
                }
            }
            now = self.stack.link().now();
        }
    }

    fn wait(&mut self, now: Instant, report: &mut Report) -> Result<(), Failure> {
        report.flush()?;
        let metrics = self.metrics.as_ref().map(Metrics::due);
        let behind = report.is_behind().then(|| now + AGAIN);
        let until = [self.stack.deadline(), self.deadline, self.look_up, metrics, behind]
            .into_iter()
            .flatten()
            .min();
        let waited = self.stack.link_mut().wait(until, Some(self.signals.as_fd()));
        waited.map_err(|error| Failure::gone(&self.name, &error))
    }

    /// Leaves alone what has become the host's own address meanwhile.
    fn leave_to_the_kernel(&mut self, now: Instant, report: &mut Report) -> Result<(), Failure> {
        let Ok(interface) = link::interface(&self.name) else { return Ok(()) }; // gone, perhaps
        for address in interface.addresses {
            if self.stack.leave(address.addr) {
                self.left = true;
                let (ts, ip, state) = (self.time(now), address.addr, "taken");
                report
                    .line(format_args!("{ip} is left to the host itself, whose own it is now"))?;
                let mac = interface.mac.map(Mac);
                report.record(&Record::Adopt { ts, ip, state, mac })?;
            }
        }
        Ok(())
    }

    /// Says so when no more addresses are going to be ours; an exit code if none is, or the last
    /// was left to somebody else.
    fn settled(&mut self, now: Instant, report: &mut Report) -> Result<Option<u8>, Failure> {
        let left = std::mem::take(&mut self.left);
        if !self.claiming && !left {
            return Ok(None);
        }
        let Census { ours, claimed, .. } = self.stack.census();
        if claimed > 0 {
            return Ok(None); // what was left is looked at again when the last of them is
        }
        if !self.claiming {
            if ours == 0 {
                report.note("the last address is somebody else's now: there is nobody left to be");
            }
            return Ok((ours == 0).then_some(1));
        }
        self.claiming = false;
        let figures = Figures::of(&mut self.stack, report.untold());
        report.note(format_args!(
            "{} of {} addresses are ours, {} left alone",
            figures.ours, figures.hosts, figures.left_alone
        ));
        report.record(&figures.record(self.time(now), "serving"))?;
        Ok((figures.ours == 0).then_some(1))
    }

    fn gone(&self, error: &std::io::Error, report: &mut Report) -> Failure {
        let (ts, interface) = (self.time(self.stack.link().now()), &self.name);
        let record = Record::Link { ts, interface, state: "gone", mtu: None, mac: None };
        let _ = report.record(&record); // the link is what has failed first
        Failure::gone(&self.name, error)
    }

    /// The summary.
    fn end(&mut self, began: Instant, report: &mut Report) -> Result<(), Failure> {
        let now = self.stack.link().now();
        report.keep_all();
        report.dropped(self.stack.link_mut().dropped());
        let figures = Figures::of(&mut self.stack, report.untold());
        let seconds = now.saturating_duration_since(began).as_secs_f64();
        report.line(format_args!("\n--- {} serve statistics, {seconds:.1} s ---", self.name))?;
        report.line(figures.lines(&self.name).trim_end())?;
        report.record(&figures.record(self.time(now), "ended"))?;
        self.metrics
            .as_mut()
            .map_or(Ok(()), |metrics| metrics.write(now, &mut self.stack, report.untold()))
    }

    fn time(&self, at: Instant) -> Time {
        Time(self.stack.link().wall(at))
    }
}

/// How long we look for more after a frame before we sleep: to be woken up costs as much.
const SPIN: Duration = Duration::from_micros(50);

/// How often we look which addresses are the host's own.
const LOOK_UP: Duration = Duration::from_secs(1);

/// How often we look whether lines that wait can be written.
const AGAIN: Duration = Duration::from_millis(100);

/// How often we look for signals when there is no time to sleep.
const LOOK: Duration = Duration::from_millis(20);

/// ICMP errors of all hosts and routers together, each of which has its own limit besides.
const ERRORS: icmp::Limit = icmp::Limit { per_second: 10_000, burst: 1_000 };
