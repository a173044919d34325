//! What was delivered recently, and may be lost in a failover.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::journal::invalidation::{CAPACITY, Invalidation};
use crate::store::Digests;

/// For how long after its acknowledgement an invalidation may be lost in a failover.
const REPLAY: Duration = Duration::from_secs(30);

/// What one primary has acknowledged recently.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Oldest first.
    keys: VecDeque<(Instant, String)>,
    /// Each of them costs the server a scan, so nobody sends many.
    patterns: VecDeque<(Instant, String)>,
    /// The keys for which there was no room.
    digests: Generations,
}

/// Keys since some moment, and those before, which are forgotten first.
#[derive(Debug, Default)]
struct Generations {
    since: Option<Instant>,
    young: Digests,
    old: Digests,
}

impl Recent {
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = Invalidation>) {
        let now = Instant::now();
        for entry in entries {
            match entry {
                Invalidation::Key(key) => self.keys.push_back((now, key)),
                Invalidation::Pattern(pattern) => self.patterns.push_back((now, pattern)),
            }
        }
        let is_over = |when: Instant| now.duration_since(when) > REPLAY;
        while self.patterns.front().is_some_and(|(when, _)| is_over(*when)) {
            self.patterns.pop_front();
        }
        while let Some((when, _)) = self.keys.front()
            && (is_over(*when) || self.keys.len() > CAPACITY)
        {
            let is_late = !is_over(*when);
            if let Some((_, key)) = self.keys.pop_front()
                && is_late
            {
                self.digests.at(now).add(&key);
            }
        }
    }

    /// The keys of a set, acknowledged now.
    pub(super) fn add_digests(&mut self, digests: Digests) {
        self.digests.at(Instant::now()).append(digests);
    }

    /// What a failover may have lost.
    pub(super) fn at_risk(mut self) -> (Vec<Invalidation>, Digests) {
        let now = Instant::now();
        let late = |when: &Instant| now.duration_since(*when) <= REPLAY;
        let keys = self.keys.into_iter().filter(|(when, _)| late(when));
        let patterns = self.patterns.into_iter().filter(|(when, _)| late(when));
        let keys = keys.map(|(_, key)| Invalidation::Key(key));
        let entries = keys.chain(patterns.map(|(_, pattern)| Invalidation::Pattern(pattern)));
        self.digests.at(now);
        let Generations { mut young, old, .. } = self.digests;
        young.append(old);
        (entries.collect(), young)
    }
}

impl Generations {
    /// The set for what is added now. What was added more than twice [`REPLAY`] ago is forgotten.
    fn at(&mut self, now: Instant) -> &mut Digests {
        let age = self.since.map(|since| now.duration_since(since));
        if age.is_none_or(|age| age > REPLAY) {
            let former = std::mem::take(&mut self.young);
            let is_late = age.is_some_and(|age| age <= 2 * REPLAY);
            self.old = if is_late { former } else { Digests::default() };
            self.since = Some(now);
        }
        &mut self.young
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ops::Range;

    use super::*;

    fn key(number: usize) -> String {
        format!("user:{number}")
    }

    /// How many of these are at risk.
    fn count(at_risk: &(Vec<Invalidation>, Digests), numbers: Range<usize>) -> usize {
        let (entries, digests) = at_risk;
        let entries: HashSet<_> = entries.iter().collect();
        let contains =
            |key: String| digests.contains(&key) || entries.contains(&Invalidation::Key(key));
        numbers.filter(|number| contains(key(*number))).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_acknowledged_is_at_risk_for_a_while() {
        let mut recent = Recent::default();
        recent.extend([
            Invalidation::Key("early".to_owned()),
            Invalidation::Pattern("early:*".to_owned()),
        ]);
        tokio::time::advance(REPLAY + Duration::from_millis(1)).await;
        recent.extend([
            Invalidation::Key("late".to_owned()),
            Invalidation::Pattern("late:*".to_owned()),
        ]);
        let (entries, digests) = recent.at_risk();
        assert!(digests.is_empty());
        assert_eq!(
            entries,
            [Invalidation::Key("late".to_owned()), Invalidation::Pattern("late:*".to_owned())]
        );
    }

    /// However many there are: of those for which there is no room, and of nothing else.
    #[tokio::test(start_paused = true)]
    async fn many_are_at_risk_as_well() {
        let mut recent = Recent::default();
        let many = 3 * CAPACITY;
        recent.extend((0..many).map(|number| Invalidation::Key(key(number))));
        tokio::time::advance(REPLAY / 2).await;
        recent.extend((many..2 * many).map(|number| Invalidation::Key(key(number))));
        let at_risk = recent.at_risk();
        assert_eq!(at_risk.0.len(), CAPACITY);
        assert_eq!(count(&at_risk, 0..2 * many), 2 * many);
        assert!(count(&at_risk, 2 * many..3 * many) < 10);
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_forgotten_in_time() {
        let mut recent = Recent::default();
        for _ in 0..3 {
            recent.extend((0..2 * CAPACITY).map(|number| Invalidation::Key(key(number))));
            tokio::time::advance(REPLAY + Duration::from_millis(1)).await;
        }
        recent.extend([Invalidation::Key("last".to_owned())]);
        assert!(!recent.digests.young.is_empty(), "it is not long ago");
        tokio::time::advance(2 * REPLAY).await;
        let (entries, digests) = recent.at_risk();
        assert!(entries.is_empty() && digests.is_empty());
    }
}
