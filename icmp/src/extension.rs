use ipv4::{ChecksumStatus, Flaw};

/// What may follow the quoted datagram of an error: an extension structure (RFC 4884 §7).
#[derive(Clone, Copy, Debug)]
pub struct Extensions<'m> {
    /// 2, or unknown.
    pub version: u8,
    /// Over the structure; 0 if it was not computed.
    pub checksum: u16,
    /// Whether it is right.
    pub checksum_status: ChecksumStatus,
    octets: &'m [u8],
    at: usize,
}

impl<'m> Extensions<'m> {
    /// Reads the structure that begins at `at` of the message, and that had `len` octets, of which
    /// `octets` were captured.
    pub(crate) fn read(octets: &'m [u8], len: usize, at: usize) -> Option<Self> {
        let (&[version, _, high, low], _) = octets.split_first_chunk::<4>()?;
        let checksum = u16::from_be_bytes([high, low]);
        let checksum_status = match checksum {
            0 => ChecksumStatus::Unknown, // RFC 4884 §7: none was transmitted
            _ if octets.len() < len => ChecksumStatus::Unknown,
            _ => ChecksumStatus::of(octets),
        };
        Some(Self { version: version >> 4, checksum, checksum_status, octets, at })
    }

    /// The objects in order; one of impossible length is not among them, nor what follows it.
    pub fn objects(&self) -> impl Iterator<Item = Object<'m>> + use<'m> {
        Object::all(&self.octets[HEADER_LEN..])
    }

    /// Whether what it says may be believed: whole objects of a version that is known, under a
    /// checksum that is right or was not computed (RFC 4884 §7).
    pub(crate) fn is_sound(&self) -> bool {
        self.flaw().is_none() && self.checksum_status != ChecksumStatus::Bad
    }

    /// What is wrong with it, in octets from the message's first.
    pub(crate) fn flaw(&self) -> Option<Flaw> {
        if self.version != VERSION {
            return Some(Flaw { octet: self.at, reason: "extensions of a version other than 2" });
        }
        let read: usize = self.objects().map(|object| HEADER_LEN + object.payload.len()).sum();
        let octet = self.at + HEADER_LEN + read;
        (HEADER_LEN + read < self.octets.len())
            .then_some(Flaw { octet, reason: "an extension object of impossible length" })
    }
}

/// One object of an extension structure (RFC 4884 §7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Object<'m> {
    /// Class-Num.
    pub class: u8,
    /// C-Type.
    pub c_type: u8,
    /// What follows its header.
    pub payload: &'m [u8],
}

impl<'m> Object<'m> {
    /// Object after object, up to one of impossible length.
    pub(crate) fn all(mut rest: &'m [u8]) -> impl Iterator<Item = Self> + use<'m> {
        std::iter::from_fn(move || {
            let (object, after) = Self::split(rest)?;
            rest = after;
            Some(object)
        })
    }

    fn split(octets: &'m [u8]) -> Option<(Self, &'m [u8])> {
        let (&[high, low, class, c_type], _) = octets.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([high, low]));
        let payload = octets.get(HEADER_LEN..len)?;
        Some((Self { class, c_type, payload }, &octets[len..]))
    }
}

/// The only version there is (RFC 4884 §7).
pub(crate) const VERSION: u8 = 2;

/// Octets of the structure's header, and of an object's.
const HEADER_LEN: usize = 4;
