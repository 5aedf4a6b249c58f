/// How many of the probes that fit are lost all the same, and so what chance can explain.
///
/// RFC 8899 §3, item 4: probes are lost for other reasons than their size.
#[derive(Default)]
pub(super) struct Chance {
    answered: u32,
    lost: u32,
}

impl Chance {
    /// A size that turned out to fit was asked for so often in vain, and then answered.
    pub(super) fn answered_after(&mut self, lost: u32) {
        self.answered += 1;
        self.lost += lost;
    }

    /// Whether as many probes that fit would be lost in a row too often to conclude anything.
    pub(super) fn loses_in_a_row(&self, count: u32) -> bool {
        is_likely(self.lost, self.answered + self.lost, count)
    }

    /// Whether a size that fits would be lost so often, and each time the control after it be
    /// answered, before it is itself.
    ///
    /// With the loss p, the first of the two happens in p (1 - p) of all turns, an answer in 1 - p.
    pub(super) fn loses_before_an_answer(&self, count: u32) -> bool {
        is_likely(self.lost, self.answered + 2 * self.lost, count)
    }
}

fn is_likely(lost: u32, of: u32, count: u32) -> bool {
    lost > 0 && (f64::from(lost) / f64::from(of)).powf(count.into()) > UNLIKELY
}

/// Once in ten thousand times, at the loss that was seen.
const UNLIKELY: f64 = 0.0001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_lost_by_chance_chance_explains_nothing() {
        let mut chance = Chance::default();
        assert!(!chance.loses_in_a_row(1) && !chance.loses_before_an_answer(1));
        chance.answered_after(0);
        assert!(!chance.loses_in_a_row(1) && !chance.loses_before_an_answer(1));
    }

    #[test]
    fn where_half_is_lost_14_in_a_row_are_no_chance_and_9_beside_controls_are_not() {
        let mut chance = Chance::default();
        chance.answered_after(1);
        assert!(chance.loses_in_a_row(13) && !chance.loses_in_a_row(14)); // 1/2 each
        assert!(chance.loses_before_an_answer(8) && !chance.loses_before_an_answer(9)); // 1/3 each
    }
}
