//! When an item that its sink refuses is given up.

/// How much an attempt counts during which the sink took something else, compared with one during
/// which there was nothing else.
const WORKING: u32 = 4;

/// What the sink was seen to do since an item's attempt before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// It took something else.
    Took,
    /// The sink took nothing else meanwhile, so the failure says nothing about the item. It counts
    /// all the same where the attribute gives a number of attempts.
    Alone { is_number_given: bool },
    /// It refused others, too.
    Refused,
}

/// Attempts with an item by itself that say something about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    attempts: u32,
    points: u32,
}

impl Tally {
    /// Another attempt has failed.
    pub(super) fn count(&mut self, meanwhile: Meanwhile) {
        self.attempts = self.attempts.saturating_add(1);
        let points = match meanwhile {
            Meanwhile::Took | Meanwhile::Alone { is_number_given: true } => WORKING,
            Meanwhile::Alone { is_number_given: false } => 1,
            Meanwhile::Refused => 0,
        };
        self.points = self.points.saturating_add(points);
    }

    /// Whether so many attempts are over.
    pub(super) fn is_full(self, max_attempts: u32) -> bool {
        self.points >= max_attempts.saturating_mul(WORKING)
    }

    pub(super) fn attempts(self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_while_others_are_taken_is_given_up_sooner() {
        let attempts = |meanwhile| {
            let mut tally = Tally::default();
            while !tally.is_full(8) && tally.attempts() < 100 {
                tally.count(meanwhile);
            }
            tally.attempts()
        };
        let alone = |is_number_given| attempts(Meanwhile::Alone { is_number_given });
        assert_eq!([attempts(Meanwhile::Took), alone(true), alone(false)], [8, 8, 32]);
        assert_eq!(attempts(Meanwhile::Refused), 100);
    }
}
