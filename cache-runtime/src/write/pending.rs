//! What a scope has to do at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Whether what a write has changed may still be committed when its scope ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// No: it is committed, or never will be.
    #[default]
    None,
    /// Hardly: the write failed, which can hide a commit.
    Failed,
    /// Yes: nobody waited for the database's answer, or the answer was that it is unknown.
    Unknown,
}

/// Keys and patterns, each with the doubt about the write that named it. Texts are full.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// Keys with a fence, acknowledged or not.
    pub(super) fenced: BTreeMap<String, Doubt>,
    /// Those whose fence was acknowledged and has not been renewed since. A fence that was renewed
    /// may have been gone in between, and somebody else's write may have come and gone as well.
    pub(super) standing: BTreeSet<String>,
    /// Keys without a fence.
    pub(super) unfenced: BTreeMap<String, Doubt>,
    /// Keys without a fence whose values may still be served as stale ones.
    pub(super) stale: BTreeMap<String, Doubt>,
    pub(super) patterns: BTreeMap<String, Doubt>,
    pub(super) hold_off: Duration,
}

impl Pending {
    /// Adds a write's targets.
    pub(super) fn enrol(
        &mut self,
        keys: &[String],
        fence: bool,
        stale: Vec<String>,
        patterns: Vec<String>,
    ) {
        let list = if fence { &mut self.fenced } else { &mut self.unfenced };
        for key in keys {
            list.entry(key.clone()).or_default();
        }
        for key in stale {
            self.stale.entry(key).or_default();
        }
        for pattern in patterns {
            self.patterns.entry(pattern).or_default();
        }
    }

    /// Notes a doubt about these texts, or about all. One that was greater before stays.
    pub(super) fn doubt(&mut self, part: Option<&[String]>, doubt: Doubt) {
        let Self { fenced, unfenced, stale, patterns, .. } = self;
        for list in [fenced, unfenced, stale, patterns] {
            match part {
                Some(part) => {
                    for text in part {
                        if let Some(known) = list.get_mut(text) {
                            *known = doubt.max(*known);
                        }
                    }
                }
                None => list.values_mut().for_each(|known| *known = doubt.max(*known)),
            }
        }
    }

    /// Whether a key is to be invalidated, in whatever way.
    pub(super) fn has_key(&self, text: &str) -> bool {
        [&self.fenced, &self.unfenced, &self.stale].iter().any(|list| list.contains_key(text))
    }

    /// Nothing was written: what has no fence need not be invalidated.
    pub(super) fn nothing_written(&mut self) {
        self.unfenced.clear();
        self.stale.clear();
        self.patterns.clear();
    }
}
