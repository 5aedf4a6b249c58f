/// Between which sizes the path MTU lies, in octets, and which to probe next (RFC 8899 §5.3).
pub(super) struct Range {
    base: u16,
    max: u16,
    /// The longest that was answered.
    confirmed: Option<u16>,
    /// The shortest that is known not to pass, if any is.
    too_long: Option<u16>,
    /// What a router said that it takes.
    hint: Option<u16>,
    /// How many more hints are listened to.
    hints: u8,
    /// What was answered is what a router said.
    is_hinted: bool,
}

impl Range {
    pub(super) fn new(base: u16, max: u16) -> Self {
        let max = max.max(MIN);
        let base = base.clamp(MIN, max);
        let (confirmed, too_long, hint) = (None, None, None);
        Self { base, max, confirmed, too_long, hint, hints: HINTS, is_hinted: false }
    }

    /// What passes, as far as is known: [`MIN`] is what every link has to take.
    pub(super) fn passing(&self) -> u16 {
        self.confirmed.unwrap_or(MIN)
    }

    /// The longest that was answered.
    pub(super) fn confirmed(&self) -> Option<u16> {
        self.confirmed
    }

    /// The next size to find out about; `None` if all is known, or [`MIN`] alone is not.
    pub(super) fn next(&self) -> Option<u16> {
        let passing = self.passing();
        let end = self.end();
        if u32::from(passing) + 1 >= end {
            return None;
        }
        let within = |size: &u16| passing < *size && u32::from(*size) < end;
        if let Some(hint) = self.hint.filter(within) {
            return Some(hint);
        }
        if self.is_hinted {
            return Some(passing + 1); // too long, if the router was right
        }
        if within(&self.base) {
            return Some(self.base);
        }
        if self.too_long.is_none() {
            return Some(self.max);
        }
        let usual: Vec<u16> = USUAL.into_iter().filter(within).collect();
        match usual.get(usual.len() / STEP) {
            Some(usual) => Some(*usual),
            None if USUAL.contains(&passing) => Some(passing + 1),
            None => Some(passing + ((end - u32::from(passing)) / STEP as u32).max(1) as u16),
        }
    }

    /// Packets of `size` octets pass.
    pub(super) fn confirm(&mut self, size: u16) {
        if self.too_long.is_some_and(|too_long| too_long <= size) {
            self.too_long = None; // so that was wrong, or the path is another
        }
        if self.confirmed.is_none_or(|confirmed| confirmed < size) {
            self.confirmed = Some(size);
            self.is_hinted = self.hint == Some(size);
        }
    }

    /// Packets of `size` octets do not.
    pub(super) fn refute(&mut self, size: u16) {
        self.too_long = Some(self.too_long.map_or(size, |too_long| too_long.min(size)));
    }

    /// The link takes no more than `max` octets any longer.
    pub(super) fn shrink(&mut self, max: u16) {
        self.max = self.max.min(max.max(MIN));
        self.base = self.base.min(self.max);
        self.confirmed = self.confirmed.filter(|confirmed| *confirmed <= max);
    }

    /// What passed does so no longer (RFC 8899 §4.3).
    pub(super) fn forget(&mut self) {
        let passed = self.confirmed.take();
        self.hint = self.hint.filter(|hint| passed.is_some_and(|passed| *hint < passed));
        self.is_hinted = false;
    }

    /// A router says that it takes `mtu` octets, or does not say how many, but not the `size` of a
    /// probe; whether that is worth a probe (RFC 8899 §4.6.2).
    pub(super) fn hear(&mut self, mtu: Option<u16>, size: u16) -> bool {
        let mtu = mtu.or_else(|| USUAL.into_iter().rfind(|usual| *usual < size));
        let hint = mtu.filter(|mtu| (MIN..size).contains(mtu) && self.hints > 0);
        if hint.is_none() || hint == self.hint {
            return false;
        }
        self.hints -= 1;
        self.hint = hint;
        hint == self.next()
    }

    /// The shortest that cannot be the path MTU.
    pub(super) fn end(&self) -> u32 {
        let above = u32::from(self.max) + 1;
        self.too_long.map_or(above, |too_long| above.min(too_long.into()))
    }
}

/// What links and tunnels take, upward: of RFC 1191 §7.1 those that still occur, and with an
/// Ethernet below, IPv6's least, WireGuard, VXLAN, GRE, IP in IP, PPPoE, and jumbo frames.
const USUAL: [u16; 18] = [
    68, 296, 508, 576, 1006, 1280, 1400, 1420, 1450, 1476, 1480, 1492, 1500, 2002, 4352, 8166,
    9000, 17_914,
];

/// MIN_PLPMTU: every link takes as many octets (RFC 791 §3.2, RFC 8899 §5.1.2).
pub(super) const MIN: u16 = 68;

/// Which part of what is left to go upward by: what passes costs a round trip, what does not
/// several times the PROBE_TIMER, and so not the half.
const STEP: usize = 4;

/// Hints that are listened to: more than paths have routers with ever shorter links.
const HINTS: u8 = 16;
