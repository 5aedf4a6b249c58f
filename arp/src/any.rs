use link::Flaw;

/// An ARP packet as it stands, whatever the hardware and the protocol (RFC 826), for people.
///
/// [`View`](crate::View) is what a host acts on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AnyView<'p> {
    /// ar$hrd.
    pub hardware: u16,
    /// ar$pro.
    pub protocol: u16,
    /// ar$hln, octets.
    pub hardware_len: u8,
    /// ar$pln, octets.
    pub protocol_len: u8,
    /// ar$op.
    pub operation: u16,
    /// ar$sha; `None` if it is not all there, and so for the three below.
    pub sender_hardware: Option<&'p [u8]>,
    /// ar$spa.
    pub sender_protocol: Option<&'p [u8]>,
    /// ar$tha.
    pub target_hardware: Option<&'p [u8]>,
    /// ar$tpa.
    pub target_protocol: Option<&'p [u8]>,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
}

impl<'p> AnyView<'p> {
    /// Reads the payload of an ARP frame; what follows the last address is padding.
    ///
    /// # Errors
    /// Without the eight octets that say what follows.
    pub fn read(octets: &'p [u8]) -> Result<Self, Flaw> {
        let Some((&[h, a, p, b, hardware_len, protocol_len, o, c], mut rest)) =
            octets.split_first_chunk::<8>()
        else {
            return Err(Flaw { octet: octets.len(), reason: "no whole ARP header" });
        };
        let mut take = |len: u8| {
            let (address, after) = rest.split_at_checked(len.into()).unzip();
            rest = after.unwrap_or_default(); // after one that is cut there is nothing
            address
        };
        let mut view = Self {
            hardware: u16::from_be_bytes([h, a]),
            protocol: u16::from_be_bytes([p, b]),
            hardware_len,
            protocol_len,
            operation: u16::from_be_bytes([o, c]),
            sender_hardware: take(hardware_len),
            sender_protocol: take(protocol_len),
            target_hardware: take(hardware_len),
            target_protocol: take(protocol_len),
            flaw: None,
        };
        if octets.len() < 8 + 2 * (usize::from(hardware_len) + usize::from(protocol_len)) {
            view.flaw = Some(Flaw { octet: octets.len(), reason: "no room for its addresses" });
        }
        Ok(view)
    }
}
