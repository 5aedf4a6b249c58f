use std::time::Instant;

use link::{Cast, Frame};

use crate::{
    datagram::Datagram,
    discard::Discard,
    interface::Ipv4,
    options,
    packet::{HEADER_LEN, Packet},
    reassembly::Reassembling,
};

impl Ipv4 {
    /// Takes in a frame's packet and returns the datagram, if it is for us, and whole.
    ///
    /// # Errors
    /// Why it was silently discarded; to be counted. [`Discard::Incomplete`] is no loss: the
    /// fragment is kept until the others have come. Of [`Discard::BadOption`] the sender may be
    /// told (RFC 1122 §3.2.2.5).
    pub fn input<'p>(&mut self, now: Instant, frame: &Frame<'p>) -> Result<Datagram<'p>, Discard> {
        if frame.cast() == Cast::Other {
            return Err(Discard::OtherStation);
        }
        let packet = Packet::parse(frame.payload())?;
        self.check_source(&packet)?;
        let cast = self.cast_of(&packet, frame.cast())?;
        if packet.header().len() > HEADER_LEN {
            options::check(packet.options())?;
        }
        if packet.is_fragment() {
            return self.fragment(now, &packet, frame, cast);
        }
        Ok(Datagram::new(&packet, frame, cast))
    }

    /// What is being reassembled.
    pub fn reassembling(&self) -> Reassembling {
        self.reassembly.as_ref().map(|reassembly| reassembly.state()).unwrap_or_default()
    }

    #[cold]
    fn fragment(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        frame: &Frame<'_>,
        cast: Cast,
    ) -> Result<Datagram<'static>, Discard> {
        self.reassembly.get_or_insert_default().input(now, packet, frame, cast)
    }

    /// RFC 1122 §3.2.1.3: what no other host can be.
    #[inline]
    fn check_source(&self, packet: &Packet<'_>) -> Result<(), Discard> {
        let src = packet.src();
        if matches!(src.octets()[0], 0 | 127 | 224..) {
            Err(Discard::Source)
        } else if self.is_broadcast(src) {
            Err(Discard::SourceBroadcast)
        } else if self.is_ours(src) {
            Err(Discard::SourceOwn)
        } else {
            Ok(())
        }
    }

    /// How many hosts it is for, of which we must be one.
    #[inline]
    fn cast_of(&self, packet: &Packet<'_>, link: Cast) -> Result<Cast, Discard> {
        let dst = packet.dst();
        if self.is_broadcast(dst) {
            Ok(Cast::Broadcast)
        } else if matches!(dst.octets()[0], 0 | 127) {
            Err(Discard::Destination)
        } else if dst.is_multicast() {
            Err(Discard::Group)
        } else if !self.is_ours(dst) {
            Err(Discard::NotForUs)
        } else if link != Cast::Host {
            Err(Discard::LinkBroadcast)
        } else {
            Ok(Cast::Host)
        }
    }
}
