use link::{Interface, Kind, OpenError, PacketSocket, State, TimeStamping};

use crate::{
    failure::Failure,
    record::{Mac, Record},
    report::Report,
};

/// Lists the interfaces: what they are, what they can, and whether we may open them.
pub(crate) fn run(report: &mut Report) -> Result<u8, Failure> {
    let interfaces = link::interfaces()
        .map_err(|error| Failure::link(format!("cannot list the interfaces: {error}")))?;
    let width = interfaces.iter().map(|interface| interface.name.len()).max().unwrap_or_default();
    for interface in &interfaces {
        let Interface { name, mtu, .. } = interface;
        let state = state(interface.state);
        let mac = interface.mac.map_or_else(|| "-".to_owned(), |mac| Mac(mac).to_string());
        let addresses: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
        let stamps = stamps(name);
        let refusal = PacketSocket::open(name).err();
        let line = [
            format!("{name:width$}  {state:10}  {mac:17}  mtu {mtu:<5}"),
            if addresses.is_empty() { "no address".to_owned() } else { addresses.join(" ") },
            interface.gateway.map_or_else(String::new, |gateway| format!("gateway {gateway}")),
            if stamps.is_empty() {
                "no stamps".to_owned()
            } else {
                format!("stamps {}", stamps.join(","))
            },
            openable(refusal.as_ref()),
        ];
        let line: Vec<&str> =
            line.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        report.line(line.join("  "))?;
        let why_not = refusal.as_ref().map(ToString::to_string);
        report.record(&Record::Interface {
            name,
            index: interface.index,
            state,
            kind: kind(interface.kind),
            mac: interface.mac.map(Mac),
            mtu: *mtu,
            addresses,
            gateway: interface.gateway,
            stamps,
            openable: refusal.is_none(),
            why_not: why_not.as_deref(),
        })?;
    }
    Ok(0)
}

fn state(state: State) -> &'static str {
    match state {
        State::Up => "up",
        State::NoCarrier => "no-carrier",
        _ => "down",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Ethernet => "ethernet",
        Kind::Loopback => "loopback",
        Kind::Other(_) => "other",
    }
}

/// Who can stamp frames there: `tx`, `tx-hw`, `rx-hw`; the kernel stamps what arrives on any.
fn stamps(name: &str) -> Vec<&'static str> {
    let Ok(TimeStamping { transmit_software, transmit_hardware, receive_hardware }) =
        link::time_stamping(name)
    else {
        return Vec::new(); // a driver that does not say
    };
    let all =
        [(transmit_software, "tx"), (transmit_hardware, "tx-hw"), (receive_hardware, "rx-hw")];
    all.into_iter().filter(|(can, _)| *can).map(|(_, what)| what).collect()
}

fn openable(refusal: Option<&OpenError>) -> String {
    match refusal {
        None => "can be opened".to_owned(),
        Some(OpenError::NotPermitted { .. }) => "not permitted".to_owned(),
        Some(OpenError::NotEthernet { .. }) => "not Ethernet".to_owned(),
        Some(error) => error.to_string(),
    }
}
