use link::{Filter, Interface, Kind, Link, PacketSocket, Ring, namespace, namespace::KernelLab};

use super::{args::Serve, plan::Plan};
use crate::{
    args::Global,
    capture::Capture,
    failure::{self, Failure},
    open::{decorate, tap},
    privilege::drop_privileges,
    value::LinkName,
};

/// The link that we serve on, just opened, with all privileges given up that this took.
pub(super) struct Line {
    pub(super) link: Box<dyn Link>,
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) capture: Option<Capture>,
    /// There is no kernel on it.
    pub(super) in_memory: bool,
    /// What `link` leads into, if that lives only as long as this.
    pub(super) lab: Option<KernelLab>,
}

impl Line {
    pub(super) fn open(global: &Global, args: &Serve, seed: u64) -> Result<Self, Failure> {
        let (mut in_memory, mut lab) = (false, None);
        let (name, plan, link): (_, _, Box<dyn Link>) = match &global.interface {
            Some(LinkName::Lab(lab)) => {
                let plan = Plan::new(global, args, None)?;
                in_memory = true;
                let tagged = !global.vlan.is_empty();
                ("lab".to_owned(), plan, lab.build(seed, tagged, global.source_mac))
            }
            Some(LinkName::KernelLab) => {
                let plan = Plan::new(global, args, None)?;
                namespace::enter().map_err(failure::refusal)?;
                let kernel = KernelLab::new().map_err(|error| {
                    Failure::link(format!("kernel-lab: cannot be built: {error}"))
                })?;
                let open = || socket(global, args, KernelLab::INTERFACE, &plan);
                let link = kernel.here.run(open)?;
                lab = Some(kernel);
                ("kernel-lab".to_owned(), plan, Box::new(link))
            }
            Some(LinkName::Interface(name)) => {
                let interface =
                    link::interface(name).map_err(|error| failure::interface(name, &error))?;
                check(&interface)?;
                let plan = Plan::new(global, args, Some(&interface))?;
                let link = socket(global, args, name, &plan)?;
                (name.clone(), plan, Box::new(link))
            }
            Some(LinkName::Tap(name)) => {
                let link = tap(global, name)?;
                let mut interface =
                    link::interface(name).map_err(|error| failure::interface(name, &error))?;
                interface.addresses.clear(); // they are those of the kernel's end
                (name.clone(), Plan::new(global, args, Some(&interface))?, Box::new(link))
            }
            Some(LinkName::Capture(path)) => {
                let path = path.display();
                return Err(Failure::usage(format!("pcap:{path}: nothing can be sent there")));
            }
            None => return Err(Failure::usage("on which link? Name it by -I")),
        };
        drop_privileges()?;
        let (link, capture) = decorate(global, link, &name)?;
        Ok(Self { link, name, plan, capture, in_memory, lab })
    }
}

fn check(interface: &Interface) -> Result<(), Failure> {
    match interface.kind {
        Kind::Loopback => Err(Failure::usage(format!(
            "{} has no neighbours, and carries no ARP: name another interface by -I",
            interface.name
        ))),
        _ => Ok(()),
    }
}

/// A socket that sees no more than it must, and hears what is for any of our MAC addresses.
fn socket(global: &Global, args: &Serve, name: &str, plan: &Plan) -> Result<PacketSocket, Failure> {
    let options = PacketSocket::options()
        .filter(Filter::hosts(&plan.heard(args)))
        .tagged(!global.vlan.is_empty())
        .promiscuous(args.mac_per_host)
        .ring(Ring::V2 { octets: plan.ring() })
        .stamps(false);
    let options = global.source_mac.iter().fold(options, |options, mac| options.mac(*mac));
    options.open(name).map_err(Failure::open)
}
