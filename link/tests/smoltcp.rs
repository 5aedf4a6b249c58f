//! The stack of others on our socket, against the kernel's TCP in private namespaces.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, TcpListener},
    process::ExitCode,
    thread,
    time::Duration,
};

use libtest_mimic::{Arguments, Failed, Trial};
use macaddr::MacAddr6;
use smoltcp::{
    iface::{Config, Interface, SocketSet},
    socket::tcp::{Socket, SocketBuffer},
    wire::{EthernetAddress, IpCidr, Ipv4Cidr},
};

use sidestack_link::{
    PacketSocket, Wait,
    namespace::{self, Namespace, veth},
    smoltcp::Device,
};

fn main() -> ExitCode {
    if let Err(left_out) = namespace::for_tests() {
        return left_out;
    }
    let tests = vec![Trial::test(
        "four_mebibytes_go_through_the_kernels_tcp_and_come_back_as_they_were",
        echo,
    )];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn echo() -> Result<(), Failed> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    veth(&near, "near0", NEAR_MAC, &far, "far0", FAR_MAC)?;
    far.add_address("far0", FAR, 24)?;
    let listener = far.run(|| TcpListener::bind((FAR, PORT)))?;
    let echo = thread::spawn(move || -> io::Result<u64> {
        let (stream, _) = listener.accept()?;
        let mut from = stream.try_clone()?.take(LEN as u64);
        io::copy(&mut from, &mut &stream)
    });

    let link = near.run(|| PacketSocket::options().stamps(false).open("near0"))?;
    let start = link.now();
    let mut device = Device::new(link, start);
    let mac = EthernetAddress(NEAR_MAC.into_array());
    let time = device.time(start);
    let mut interface = Interface::new(Config::new(mac.into()), &mut device, time);
    interface.update_ip_addrs(|addrs| {
        addrs.push(IpCidr::Ipv4(Ipv4Cidr::new(NEAR, 24))).expect("there is room for one");
    });
    let mut sockets = SocketSet::new(Vec::new());
    let buffer = || SocketBuffer::new(vec![0; 65_535]);
    let handle = sockets.add(Socket::new(buffer(), buffer()));
    sockets
        .get_mut::<Socket<'_>>(handle)
        .connect(interface.context(), (FAR, PORT), 49_152)
        .map_err(|error| error.to_string())?;

    let out: Vec<u8> = (0..LEN).map(|at| (at ^ at >> 8 ^ at >> 16) as u8).collect();
    let (mut sent, mut back) = (0, Vec::with_capacity(LEN));
    while back.len() < LEN {
        let now = device.link().now();
        if now > start + PATIENCE {
            return Err(format!("{sent} octets left, {} came back", back.len()).into());
        }
        let time = device.time(now);
        device.pump(now)?;
        interface.poll(time, &mut device, &mut sockets);
        let socket = sockets.get_mut::<Socket<'_>>(handle);
        if socket.can_send() {
            sent += socket.send_slice(&out[sent..]).map_err(|error| error.to_string())?;
        }
        while socket.can_recv() {
            socket
                .recv(|octets| {
                    back.extend_from_slice(octets);
                    (octets.len(), ())
                })
                .map_err(|error| error.to_string())?;
        }
        interface.poll(time, &mut device, &mut sockets);
        if device.pump(now)? == 0 && back.len() < LEN {
            let delay = interface.poll_delay(time, &sockets).map(Duration::from);
            let until = delay.map_or(start + PATIENCE, |delay| now + delay);
            device.link().wait(Some(until), None)?;
        }
    }
    assert!(back == out, "what came back is not what was sent");
    assert_eq!(echo.join().expect("the echo does not panic")?, LEN as u64);
    Ok(())
}

const LEN: usize = 4 << 20;
const PORT: u16 = 7;
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const NEAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);
const FAR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 2);

/// Longer than anything takes that will happen at all.
const PATIENCE: Duration = Duration::from_secs(60);
