//! A stack that serves one address.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use link::{FrameIo, FrameTx, Link, PacketSocket, Ring, Wait};
use stack::{Hosts, Impaired, Served, Stack, arp::Macs};

use crate::Trouble;

/// Serves as `sidestack serve` does until it is to stop; tells what went by.
pub(crate) fn serve(name: &str, stop: &AtomicBool) -> Result<String, Trouble> {
    let options = PacketSocket::options().stamps(false).ring(Ring::V2 { octets: 4 << 20 });
    let link: Box<dyn Link> = Box::new(options.open(name)?);
    let addr = "10.77.0.3".parse()?;
    let hosts = Hosts::new(Macs::One(link.mac()), [addr..=addr]);
    let (now, kept) = (link.now(), vec![addr]);
    let link = Impaired::new(now, link, &[], 0);
    let mut stack = Stack::new(link, stack::Config::new("10.77.0.3/16".parse()?));
    stack.serve(now, Served { hosts, kept, beyond: None, refused: Vec::new() }, false);
    while !stop.load(Ordering::Relaxed) {
        let now = stack.link().now();
        if !stack.poll(now)? {
            let until = stack.deadline().into_iter().fold(now + LOOK, std::time::Instant::min);
            stack.link_mut().wait(Some(until), None)?;
        }
        while stack.event().is_some() {}
    }
    let (received, neighbours) = (stack.counters().received(), stack.neighbours().count());
    let dropped = stack.link_mut().dropped();
    Ok(format!("{received} frames, {dropped} dropped by the kernel; {neighbours} neighbours known"))
}

const LOOK: Duration = Duration::from_millis(20);
