//! The `smoltcp` stack on any link of ours.
//!
//! ```
//! use sidestack_link::{FrameTx, MacAddr6, Wait, memory::Network, smoltcp::Device};
//! use smoltcp::iface::{Config, Interface, SocketSet};
//! use smoltcp::wire::EthernetAddress;
//!
//! let port = Network::new().attach(MacAddr6::new(2, 0, 0, 0, 0, 1));
//! let (mac, now) = (EthernetAddress(port.mac().into_array()), port.now());
//! let mut device = Device::new(port, now);
//! let time = device.time(now);
//! let mut interface = Interface::new(Config::new(mac.into()), &mut device, time);
//! let mut sockets = SocketSet::new(Vec::new());
//!
//! // A turn of the loop; then wait on `device.link()`, until `interface.poll_at` at the latest.
//! device.pump(now)?;
//! interface.poll(time, &mut device, &mut sockets);
//! device.pump(now)?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{collections::VecDeque, io, time::Instant};

use ::smoltcp::{
    phy::{self, DeviceCapabilities, Medium},
    time::{Duration, Instant as Time},
};

use crate::{
    frame::{Direction, HEADER_LEN},
    io::{FrameIo, SendError},
};

/// A link as `smoltcp` wants it; the frames on their way to the stack and from it are kept here.
///
/// The stack verifies checksums: where the kernel leaves them to a network card, as on a veth that
/// was not told otherwise, what local programs send does not reach it.
#[derive(Debug)]
pub struct Device<L> {
    link: L,
    origin: Instant,
    received: VecDeque<Vec<u8>>,
    queue: VecDeque<Vec<u8>>,
    /// Buffers of frames that have left.
    spare: Vec<Vec<u8>>,
}

impl<L: FrameIo> Device<L> {
    /// Lends `link` to the stack, whose time begins at `now`.
    pub fn new(link: L, now: Instant) -> Self {
        let (received, queue) = (VecDeque::new(), VecDeque::new());
        Self { link, origin: now, received, queue, spare: Vec::new() }
    }

    /// Hands to the wire what the stack has sent, and takes in a batch for it; to be called before
    /// and after each poll of the stack.
    ///
    /// Returns how many frames the stack can receive. What the wire cannot take yet stays.
    ///
    /// # Errors
    /// When the link is gone.
    pub fn pump(&mut self, now: Instant) -> io::Result<usize> {
        self.push()?;
        if self.received.len() < SLOTS {
            let Self { link, received, .. } = self;
            link.recv(now, &mut |frame, _| {
                if frame.direction() == Direction::Received {
                    received.push_back(frame.octets().to_vec());
                }
            })?;
        }
        Ok(self.received.len())
    }

    /// The link, to be waited on and asked for its events.
    pub fn link(&mut self) -> &mut L {
        &mut self.link
    }

    /// The stack's time at `at`.
    pub fn time(&self, at: Instant) -> Time {
        Time::ZERO + Duration::from(at.saturating_duration_since(self.origin))
    }

    fn push(&mut self) -> io::Result<()> {
        while let Some(octets) = self.queue.front() {
            let write = &mut |slot: &mut [u8]| slot.copy_from_slice(octets);
            if self.link.transmit(octets.len(), write) == Err(SendError::Full) {
                self.link.flush()?;
                if self.link.transmit(octets.len(), write) == Err(SendError::Full) {
                    return Ok(());
                }
            }
            // Sent, or longer than an MTU that was lowered meanwhile: lost, as on any path.
            self.spare.extend(self.queue.pop_front());
        }
        self.link.flush()
    }
}

impl<L: FrameIo> phy::Device for Device<L> {
    type RxToken<'a>
        = RxToken
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a>
    where
        Self: 'a;

    fn receive(&mut self, _time: Time) -> Option<(RxToken, TxToken<'_>)> {
        if self.queue.len() >= SLOTS {
            return None; // it could not be answered
        }
        let octets = self.received.pop_front()?;
        Some((RxToken(octets), TxToken { queue: &mut self.queue, spare: &mut self.spare }))
    }

    fn transmit(&mut self, _time: Time) -> Option<TxToken<'_>> {
        if self.queue.len() >= SLOTS {
            return None;
        }
        Some(TxToken { queue: &mut self.queue, spare: &mut self.spare })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = HEADER_LEN + self.link.mtu();
        capabilities
    }
}

/// A frame for the stack.
#[derive(Debug)]
pub struct RxToken(Vec<u8>);

impl phy::RxToken for RxToken {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

/// Room for a frame of the stack's.
#[derive(Debug)]
pub struct TxToken<'a> {
    queue: &'a mut VecDeque<Vec<u8>>,
    spare: &'a mut Vec<Vec<u8>>,
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut octets = self.spare.pop().unwrap_or_default();
        octets.clear();
        octets.resize(len, 0);
        let result = write(&mut octets);
        self.queue.push_back(octets);
        result
    }
}

/// Frames kept each way; of those received, a batch more.
const SLOTS: usize = 256;
