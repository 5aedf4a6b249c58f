//! Frames as octets, right or wrong in any field.

use std::net::Ipv4Addr;

use etherparse::checksum::Sum16BitWords;
use link::MacAddr6;

/// The host under test.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
pub(crate) const HOST_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 3);

/// We, who ask.
pub(crate) const US: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const OUR_MAC: MacAddr6 = MacAddr6::new(2, 0, 0, 0, 0, 1);

/// The gateway that the host was told of; it answers ARP at [`OUR_MAC`] unless a test says otherwise.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);

pub(crate) const BROADCAST: MacAddr6 = MacAddr6::broadcast();
pub(crate) const NOBODY: MacAddr6 = MacAddr6::nil();

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const ARP: u16 = 0x0806;

/// A frame, padded with zeros to the least that Ethernet carries.
pub(crate) fn frame(dst: MacAddr6, src: MacAddr6, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut octets = unpadded(dst, src, ether_type, payload);
    octets.resize(octets.len().max(60), 0);
    octets
}

/// A frame as short as its payload makes it.
pub(crate) fn unpadded(dst: MacAddr6, src: MacAddr6, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [dst.as_bytes(), src.as_bytes(), &ether_type.to_be_bytes(), payload].concat()
}

/// An ARP packet (RFC 826).
#[derive(Clone, Debug)]
pub(crate) struct Arp {
    pub(crate) hardware: u16,
    pub(crate) protocol: u16,
    pub(crate) lens: [u8; 2],
    pub(crate) operation: u16,
    pub(crate) sha: MacAddr6,
    pub(crate) spa: Ipv4Addr,
    pub(crate) tha: MacAddr6,
    pub(crate) tpa: Ipv4Addr,
}

impl Arp {
    /// We ask for `tpa`.
    pub(crate) fn request(tpa: Ipv4Addr) -> Self {
        let (hardware, protocol, lens, operation) = (1, IPV4, [6, 4], 1);
        Self { hardware, protocol, lens, operation, sha: OUR_MAC, spa: US, tha: NOBODY, tpa }
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let head = [self.hardware, self.protocol].map(u16::to_be_bytes).concat();
        let operation = self.operation.to_be_bytes();
        let (spa, tpa) = (self.spa.octets(), self.tpa.octets());
        let parts: [&[u8]; 7] =
            [&head, &self.lens, &operation, self.sha.as_bytes(), &spa, self.tha.as_bytes(), &tpa];
        parts.concat()
    }

    /// In a frame to everybody, from its sender.
    pub(crate) fn broadcast(&self) -> Vec<u8> {
        frame(BROADCAST, self.sha, ARP, &self.octets())
    }

    /// In a frame to the host, from its sender.
    pub(crate) fn unicast(&self) -> Vec<u8> {
        frame(HOST_MAC, self.sha, ARP, &self.octets())
    }
}

/// An IPv4 packet; lengths and checksum are right unless they are given.
#[derive(Clone, Debug)]
pub(crate) struct Ip {
    pub(crate) version: u8,
    pub(crate) header_words: Option<u8>,
    pub(crate) tos: u8,
    pub(crate) total_len: Option<u16>,
    pub(crate) id: u16,
    /// The three flags and the offset, as they stand in the header.
    pub(crate) fragment: u16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) checksum: Option<u16>,
    pub(crate) src: Ipv4Addr,
    pub(crate) dst: Ipv4Addr,
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Ip {
    /// From us to the host.
    pub(crate) fn new(protocol: u8, payload: Vec<u8>) -> Self {
        Self {
            version: 4,
            header_words: None,
            tos: 0,
            total_len: None,
            id: 0x1234,
            fragment: 0,
            ttl: 64,
            protocol,
            checksum: None,
            src: US,
            dst: HOST,
            options: Vec::new(),
            payload,
        }
    }

    /// An echo request with `len` octets of data.
    pub(crate) fn echo(sequence: u16, len: usize) -> Self {
        Self::new(ICMP, echo(sequence, len))
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let words = self.header_words.unwrap_or((header_len / 4) as u8);
        let total_len = self.total_len.unwrap_or((header_len + self.payload.len()) as u16);
        let mut octets = vec![self.version << 4 | words, self.tos];
        octets.extend([total_len, self.id, self.fragment].map(u16::to_be_bytes).concat());
        octets.extend([self.ttl, self.protocol, 0, 0]);
        octets.extend(self.src.octets().into_iter().chain(self.dst.octets()));
        octets.extend(&self.options);
        let sum = self.checksum.unwrap_or_else(|| checksum(&octets));
        octets[10..12].copy_from_slice(&sum.to_be_bytes());
        octets.extend(&self.payload);
        octets
    }

    /// In a frame from us to the host.
    pub(crate) fn frame(&self) -> Vec<u8> {
        frame(HOST_MAC, OUR_MAC, IPV4, &self.octets())
    }

    /// The same payload in fragments that begin at these octets, the last of which ends it.
    pub(crate) fn fragments(&self, starts: &[usize]) -> Vec<Self> {
        let ends = starts.iter().skip(1).copied().chain([self.payload.len()]);
        let part = |(&start, end): (&usize, usize)| {
            let more = u16::from(end < self.payload.len()) << 13;
            Self {
                fragment: more | (start / 8) as u16,
                payload: self.payload[start..end].to_vec(),
                ..self.clone()
            }
        };
        starts.iter().zip(ends).map(part).collect()
    }
}

/// An ICMP echo request with `len` octets of data, checksum included.
pub(crate) fn echo(sequence: u16, len: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..len).map(|i| (i * 7 + usize::from(sequence)) as u8).collect();
    let [a, b] = sequence.to_be_bytes();
    icmp(8, 0, [0x42, 0x17, a, b], &data)
}

/// An ICMP message, checksum included.
pub(crate) fn icmp(kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut octets = [&[kind, code, 0, 0], &rest[..], data].concat();
    let sum = checksum(&octets);
    octets[2..4].copy_from_slice(&sum.to_be_bytes());
    octets
}

/// The Internet checksum (RFC 1071); 0 over what has a right one.
pub(crate) fn checksum(octets: &[u8]) -> u16 {
    u16::from_be(Sum16BitWords::new().add_slice(octets).ones_complement())
}

/// What came back, read strictly: padding apart, everything in it is right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Got {
    pub(crate) dst: MacAddr6,
    pub(crate) src: MacAddr6,
    pub(crate) ether_type: u16,
    /// Cut to what IPv4 or ARP says that it is.
    pub(crate) payload: Vec<u8>,
}

impl Got {
    /// # Panics
    /// If it is not what a correct host sends (IP-1).
    pub(crate) fn parse(octets: &[u8]) -> Self {
        let mac =
            |at: usize| MacAddr6::from(<[u8; 6]>::try_from(&octets[at..at + 6]).expect("six"));
        let ether_type = u16::from_be_bytes([octets[12], octets[13]]);
        let payload = &octets[14..];
        let len = match ether_type {
            ARP => 28,
            IPV4 => usize::from(u16::from_be_bytes([payload[2], payload[3]])),
            other => panic!("a frame of type {other:04x}"),
        };
        assert!(payload.len() <= 1500, "a frame beyond the MTU");
        assert!(payload[len..].iter().all(|&octet| octet == 0), "padding that is not zero");
        let got = Self { dst: mac(0), src: mac(6), ether_type, payload: payload[..len].to_vec() };
        assert_eq!(got.src.as_bytes()[0] & 1, 0, "a group sends");
        if ether_type == IPV4 {
            got.check_header();
        }
        got
    }

    pub(crate) fn ip(&self) -> &[u8] {
        assert_eq!(self.ether_type, IPV4, "not IPv4: {self:?}");
        &self.payload
    }

    pub(crate) fn header(&self) -> &[u8] {
        &self.ip()[..usize::from(self.payload[0] & 15) * 4]
    }

    /// What the IPv4 header is followed by.
    pub(crate) fn message(&self) -> &[u8] {
        &self.ip()[self.header().len()..]
    }

    /// Type and code of an ICMP message whose checksum is right.
    pub(crate) fn icmp(&self) -> (u8, u8) {
        let message = self.message();
        assert_eq!((self.payload[9], checksum(message)), (ICMP, 0), "{self:?}");
        (message[0], message[1])
    }

    pub(crate) fn addr(&self, at: usize) -> Ipv4Addr {
        Ipv4Addr::from(<[u8; 4]>::try_from(&self.payload[at..at + 4]).expect("four"))
    }

    pub(crate) fn is_arp(&self) -> bool {
        self.ether_type == ARP
    }

    fn check_header(&self) {
        let header = self.header();
        assert_eq!(header[0] >> 4, 4);
        assert!(header.len() >= 20);
        assert_eq!(checksum(header), 0, "header checksum");
        assert_ne!(header[8], 0, "time to live");
        assert_eq!(header[6] & 0x80, 0, "the reserved flag");
    }
}

/// The protocol number.
pub(crate) const ICMP: u8 = 1;
