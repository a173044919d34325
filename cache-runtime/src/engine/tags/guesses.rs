//! What this process knows of the tags that values tell.

use std::sync::Arc;

use crate::engine::recollection::Recollection;
use crate::record::KeyHash;

/// What the values of entries told when this process saw them last: a guess which tags they will
/// tell next. It is allowed to be wrong.
#[derive(Debug)]
pub(crate) struct Guesses(Recollection<Arc<[String]>>);

/// The most bytes of one generation of a shard: 4 MiB in all.
const GENERATION: usize = 128 * 1024;

impl Guesses {
    pub(crate) fn new() -> Self {
        let weigh =
            |texts: &Arc<[String]>| 64 + texts.iter().map(|text| 24 + text.len()).sum::<usize>();
        Self(Recollection::new(GENERATION, weigh))
    }

    /// The keys of the tags that the value of this entry told.
    pub(crate) fn of(&self, entry: KeyHash) -> Vec<String> {
        self.0.of(entry).map(|texts| texts.to_vec()).unwrap_or_default()
    }

    /// Remembers what it has told.
    pub(crate) fn learn(&self, entry: KeyHash, texts: &[String]) {
        self.0.learn(entry, texts.into());
    }
}
