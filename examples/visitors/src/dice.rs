//! Choices that a seed repeats.

/// `SplitMix64`.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same choices for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1, without 1.
    pub fn share(&mut self) -> f64 {
        let bits = u32::try_from(self.draw() >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// Whether something happens that has this chance, from 0 to 1.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// One of several, each as often as its weight says.
    pub fn pick<T: Copy>(&mut self, choices: &[(f64, T)], other: T) -> T {
        let mut left = self.share() * choices.iter().map(|(weight, _)| weight).sum::<f64>();
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        other
    }
}

/// Numbers from 1 up, the n-th of them as often as 1/n says.
#[derive(Debug)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// The numbers up to `end`.
    #[must_use]
    pub fn new(end: i64) -> Self {
        let mut sum = 0.0;
        let sums = (1..=u32::try_from(end).unwrap_or(u32::MAX)).map(|number| {
            sum += 1.0 / f64::from(number);
            sum
        });
        Self(sums.collect())
    }

    /// One of them.
    pub fn draw(&self, dice: &mut Dice) -> i64 {
        let sum = self.0.last().copied().unwrap_or_default() * dice.share();
        let below = self.0.partition_point(|up_to| *up_to <= sum);
        1 + i64::try_from(below).unwrap_or_default()
    }
}
