use super::{chance::Chance, range::Range};

/// What to probe next, and what the answers mean; without a clock and without a link.
///
/// After each probe of a size that was lost comes a control, of a size that passed: only if that is
/// answered, the loss counts against the size.
pub(super) struct Search {
    range: Range,
    chance: Chance,
    max_probes: u32,
    /// What is to be found out about.
    size: u16,
    /// How often that was lost, and nobody said a word.
    lost: u32,
    /// How often it was, and the control after it was answered.
    validated: u32,
    /// Whether the control is due.
    is_control: bool,
    /// What counts as too long, and how often it was lost beside answered controls.
    refuted: Option<(u16, u32)>,
    /// How many controls were lost since something was answered.
    controls: u32,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Came {
    Answered,
    /// Somebody on the way says that it was too long for him, and how much he takes.
    TooLong(Option<u16>),
    Lost,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    Probe(u16),
    Found(u16),
    /// Nothing is answered.
    Unreachable,
}

impl Search {
    pub(super) fn new(base: u16, max: u16, max_probes: u8) -> Self {
        let mut search = Self {
            range: Range::new(base, max),
            chance: Chance::default(),
            max_probes: max_probes.max(1).into(),
            size: 0,
            lost: 0,
            validated: 0,
            is_control: false,
            refuted: None,
            controls: 0,
        };
        search.turn();
        search
    }

    pub(super) fn next(&self) -> Next {
        match self.range.confirmed() {
            None if self.is_cut_off() => Next::Unreachable,
            Some(confirmed) if self.size == confirmed => Next::Found(confirmed),
            _ if self.is_control => Next::Probe(self.range.passing()),
            _ => Next::Probe(self.size),
        }
    }

    /// The longest that was answered.
    pub(super) fn confirmed(&self) -> Option<u16> {
        self.range.confirmed()
    }

    /// Takes note of what became of a probe of `size` octets, the last or an earlier one.
    pub(super) fn came(&mut self, size: u16, came: Came) {
        match came {
            Came::Answered => self.answered(size),
            Came::TooLong(mtu) if self.range.hear(mtu, size) => self.turn(),
            Came::TooLong(_) | Came::Lost if self.is_control => self.control_lost(size),
            Came::TooLong(_) | Came::Lost if size == self.size => {
                self.lost += u32::from(came == Came::Lost);
                self.is_control = true;
            }
            Came::TooLong(_) | Came::Lost => {} // what was to be known of it is known meanwhile
        }
    }

    /// Takes note that a probe of `size` octets was answered that counted as lost.
    pub(super) fn came_late(&mut self, size: u16) {
        self.range.confirm(size);
        self.turn_if_told();
    }

    /// The link takes no more than `max` octets any longer.
    pub(super) fn shrink(&mut self, max: u16) {
        self.range.shrink(max);
        self.turn();
    }

    fn answered(&mut self, size: u16) {
        let is_control = self.is_control && size == self.range.passing();
        self.range.confirm(size);
        let lost = if size == self.size { self.lost } else { 0 };
        self.chance.answered_after(self.controls + lost);
        self.controls = 0;
        if is_control && size < self.size {
            self.is_control = false;
            self.validated += 1;
            let by_chance = self.chance.loses_before_an_answer(self.validated);
            if self.validated >= self.max_probes && !by_chance {
                self.range.refute(self.size);
                self.refuted = Some((self.size, self.validated));
            }
        }
        self.turn_if_told();
    }

    fn control_lost(&mut self, size: u16) {
        if size != self.range.passing() {
            return;
        }
        self.is_control = false;
        self.controls += 1;
        if self.range.confirmed().is_some() && self.is_cut_off() {
            self.range.forget(); // RFC 8899 §4.3: a black hole; §5.2: from the base again
            self.controls = 0;
            self.turn();
        }
    }

    /// Whether so many controls were lost that it is no chance.
    fn is_cut_off(&self) -> bool {
        self.controls >= self.max_probes && !self.chance.loses_in_a_row(self.controls)
    }

    /// Turns to the next size, if all there is to know of this one is known.
    fn turn_if_told(&mut self) {
        if self.wanted() != Some(self.size) {
            self.turn();
        }
    }

    /// Turns to the next size; that of what passes if there is no other.
    fn turn(&mut self) {
        let doubted = self.doubted();
        (self.lost, self.is_control) = (0, false);
        self.validated = doubted.map_or(0, |(_, validated)| validated);
        self.size = self.wanted().unwrap_or_else(|| self.range.passing());
    }

    /// The next size to find out about.
    fn wanted(&self) -> Option<u16> {
        self.range.next().or_else(|| self.doubted().map(|(size, _)| size))
    }

    /// What alone stands above what passes, if by all that is known of the loss by now chance may
    /// have done it.
    fn doubted(&self) -> Option<(u16, u32)> {
        let is_last = self.range.next().is_none() && self.range.confirmed().is_some();
        self.refuted.filter(|(size, validated)| {
            is_last
                && u32::from(*size) == self.range.end()
                && self.chance.loses_before_an_answer(*validated)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path_mtu::range::MIN;

    fn came() -> impl Strategy<Value = Came> {
        prop_oneof![
            2 => Just(Came::Answered),
            2 => Just(Came::Lost),
            1 => proptest::option::of(any::<u16>()).prop_map(Came::TooLong),
        ]
    }

    proptest! {
        #[test]
        fn whatever_comes_each_probe_is_within_bounds_and_what_is_found_was_answered(
            (base, max, max_probes) in any::<(u16, u16, u8)>(),
            comes in prop::collection::vec((came(), any::<Option<u16>>()), 0..300),
        ) {
            let mut search = Search::new(base, max, max_probes);
            let mut answered = Vec::new();
            for (came, late) in comes {
                let size = match search.next() {
                    Next::Probe(size) => size,
                    Next::Found(mtu) => {
                        prop_assert!(answered.contains(&mtu));
                        break;
                    }
                    Next::Unreachable => {
                        prop_assert_eq!(search.confirmed(), None);
                        break;
                    }
                };
                prop_assert!((MIN..=max.max(MIN)).contains(&size));
                search.came(size, came);
                if came == Came::Answered {
                    answered.push(size);
                }
                if let Some(late) = late.filter(|late| (MIN..=max).contains(late) && late % 7 == 0) {
                    search.came_late(late);
                    answered.push(late);
                }
            }
        }

        #[test]
        fn any_path_mtu_is_found_where_nothing_is_lost_by_chance(
            (base, max) in any::<(u16, u16)>(),
            mtu in MIN..,
            says in any::<Option<Option<u16>>>(),
        ) {
            let mut search = Search::new(base, max, 3);
            let mut probes = 0;
            while let Next::Probe(size) = search.next() {
                let no = says.map_or(Came::Lost, Came::TooLong);
                search.came(size, if size <= mtu { Came::Answered } else { no });
                probes += 1;
                prop_assert!(probes < 200);
            }
            prop_assert_eq!(search.next(), Next::Found(mtu.min(max.max(MIN))));
        }
    }
}
