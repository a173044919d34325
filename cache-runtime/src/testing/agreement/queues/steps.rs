//! What may be done to a partition, drawn from a seed.

use cache_testing::dice::Dice;

use crate::store::queue::Unheard;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Push {
        number: u64,
        oldest: u64,
        given_up: Vec<u64>,
        us: u64,
        window: u64,
        node: u16,
        key: &'static str,
        longest: Option<u64>,
    },
    /// Something that only an owner may do, or takes ownership for so many hours.
    Act {
        who: usize,
        hours: u64,
        act: Act,
    },
    /// The lease that somebody has ends.
    Expire,
    Lease,
    Redrive(usize),
    /// The dead letter of this number, if there is one: the first is 0.
    RedriveOne(usize),
    Discard(usize),
    /// The items in the partition behind a number.
    Held(u64, usize),
    /// Items are removed, whoever has read them.
    Remove(Vec<u64>),
    /// So many dead letters, from the one of this number on.
    Dead(usize, usize),
    Lengths,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Take,
    GiveBack,
    /// From now on under the other one of the worker's tokens, or the same; and whether it may have
    /// ended.
    Renew(usize, bool),
    /// So many new items, or pending ones behind a number.
    Read(usize, Option<u64>),
    Unheard(Unheard),
    Ack(Vec<u64>),
    Bury(u64),
}

impl Step {
    /// A push that is sent once.
    pub(super) fn push(number: u64) -> Self {
        Self::Push {
            number,
            oldest: number,
            given_up: Vec::new(),
            us: 1,
            window: 1_000_000,
            node: 7,
            key: "key",
            longest: None,
        }
    }

    pub(super) fn act(who: usize, act: Act) -> Self {
        Self::Act { who, hours: 1, act }
    }
}

/// How often something was pushed, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Course {
    pushes: u64,
    /// Position of the last item.
    last: u64,
    /// How many items there are, more or less.
    length: u64,
}

impl Course {
    pub(super) fn follow(&mut self, step: &Step, answer: &str) {
        let more = match step {
            Step::Push { .. } => u64::from(answer.starts_with("New")),
            Step::Redrive(_) | Step::RedriveOne(_) => answer.parse().unwrap(),
            _ => 0,
        };
        self.last += more;
        self.length += more;
        if let Step::Lengths = step {
            let lengths = answer.split(' ').take(2).map(|length| length.parse::<u64>().unwrap());
            self.length = lengths.sum();
        }
    }

    /// Something that may be done next.
    pub(super) fn step(&mut self, dice: &Dice) -> Step {
        // Mostly the first token of each worker.
        let who = dice.pick(&[(4, 0), (4, 1), (1, 2), (1, 3)]);
        let somewhere = || self.last.saturating_sub(10) + dice.below(12).min(self.last);
        let act = match dice.below(100) {
            0..35 => return self.push(dice),
            35..42 => Act::Take,
            42..45 => Act::GiveBack,
            45..49 => {
                let fresh = if dice.percent(80) { who } else { (who + 2) % 4 };
                Act::Renew(fresh, dice.percent(50))
            }
            49..61 => Act::Read(1 + dice.index(5), None),
            61..69 => {
                let behind = if dice.percent(50) { 0 } else { somewhere() };
                Act::Read(1 + dice.index(5), Some(behind))
            }
            69..80 => {
                let first = somewhere().max(1);
                Act::Ack((first..=first + dice.below(4)).collect())
            }
            80..84 => Act::Bury(somewhere().max(1)),
            84..86 => return Step::Redrive(dice.index(3) + 1),
            86 => return Step::RedriveOne(dice.index(3)),
            87 => return Step::Discard(dice.index(3)),
            88..90 => return Step::Dead(dice.index(3), 1 + dice.index(100)),
            90 => return Step::Held(somewhere(), 1 + dice.index(5)),
            91 => {
                let first = somewhere().max(1);
                return Step::Remove((first..=first + dice.below(2)).collect());
            }
            92 => return Step::Lease,
            93..95 => return Step::Expire,
            95..97 => Act::Unheard(dice.pick(&[
                (3, Unheard::One),
                (2, Unheard::NotOne),
                (1, Unheard::None),
            ])),
            _ => return Step::Lengths,
        };
        Step::Act { who, hours: 1 + dice.below(3), act }
    }

    /// A new push, or one that is sent once more, or comes late.
    fn push(&mut self, dice: &Dice) -> Step {
        let number = if dice.percent(80) {
            self.pushes += 1;
            self.pushes
        } else {
            self.pushes.saturating_sub(dice.below(5)).max(1)
        };
        let under_way = dice.pick(&[(6, 0), (2, 1), (1, 3)]);
        Step::Push {
            number,
            oldest: number.saturating_sub(under_way).max(1),
            given_up: if dice.percent(20) { vec![number + 1 + dice.below(2)] } else { Vec::new() },
            us: 1000 * (self.pushes + dice.below(6)),
            window: dice.pick(&[(3, 1_000_000), (1, 2_000)]),
            node: dice.pick(&[(1, 7), (1, 9)]),
            key: dice.pick(&[(1, "key"), (1, "other")]),
            longest: dice.percent(30).then(|| 1 + (self.length + dice.below(6)).saturating_sub(4)),
        }
    }
}
