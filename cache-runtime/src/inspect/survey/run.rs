//! Going through the keys.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cache::Cache;
use crate::engine::Core;
use crate::error::Error;
use crate::inspect::survey::grouping::Groups;
use crate::inspect::survey::summary::Survey;
use crate::key::{AsTag, Tag};
use crate::record::{self, Described, KeyHash, VALUE_HEADER};
use crate::store::Inspect;
use crate::store::sweeps::Visited;

/// How many keys a second a server looks at if nothing else is said: for most of that time it does
/// something else.
const RATE: u32 = 10_000;
/// So much of a record is read that forty tags of a value are among it.
const HEAD_WITH_TAGS: usize = 1024;

/// A survey that has not begun; made by [`Cache::survey`].
#[derive(Clone, Debug)]
#[must_use = "a survey begins with `run`"]
pub struct SurveyBuilder {
    cache: Core,
    pattern: String,
    rate: u32,
    tag: Option<Tag>,
}

/// How far a survey has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SurveyProgress {
    /// Keys that servers have looked at, more or less, those that do not match included.
    pub looked_at: u64,
    /// How many keys there are. `None` if the user may not ask for it (`DBSIZE`).
    pub keys: Option<u64>,
}

impl Cache {
    /// Begins a survey of the keys of this namespace whose text matches a Redis glob, `*` for all:
    /// how many entries there are of which kind, how large and how old they are.
    ///
    /// ```
    /// # use cache_runtime::{Cache, cached};
    /// # #[cached(key = "user:<id>", ttl = 60)] async fn get_user(id: i64) -> i64 { id }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
    /// # let cache = Cache::in_memory();
    /// # cache.scope(async { get_user(7).await; get_user(8).await; }).await;
    /// let survey = cache.survey("*").run(|progress| eprintln!("{}", progress.looked_at)).await?;
    /// for group in &survey.groups {
    ///     println!("{}: {} values, {} bytes", group.template, group.values, group.bytes);
    /// }
    /// assert_eq!((&*survey.groups[0].template, survey.total.values), ("user:<>", 2));
    /// # Ok(()) }
    /// ```
    ///
    /// It goes through all keys of the server with `SCAN`, and so takes as long as there are keys,
    /// at the [rate](SurveyBuilder::keys_per_second) that it is given. It changes nothing, and what
    /// it keeps in memory does not grow with the number of keys. Besides the commands of
    /// [`explain`](Self::explain) the server's user needs `+scan`, and `+dbsize` for the progress.
    pub fn survey(&self, pattern: impl Into<String>) -> SurveyBuilder {
        let (cache, pattern) = (self.core().clone(), pattern.into());
        SurveyBuilder { cache, pattern, rate: RATE, tag: None }
    }
}

impl SurveyBuilder {
    /// How many keys a second a server looks at: 10,000 by default, and at least one. All keys of
    /// the server count, not only those that match. A step is 512 keys.
    pub fn keys_per_second(mut self, rate: u32) -> Self {
        self.rate = rate.max(1);
        self
    }

    /// Only values that were stored with this tag, as one of their first forty. Whether it was
    /// invalidated since makes no difference.
    pub fn tag(mut self, tag: impl AsTag) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Goes through the keys. `progress` is called after each step.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It is not tried again.
    ///
    /// # Cancel safety
    ///
    /// It only reads, so the future can be dropped at any time.
    pub async fn run(
        self,
        mut progress: impl FnMut(SurveyProgress) + Send,
    ) -> Result<Survey, Error> {
        let Self { cache, pattern, rate, tag } = self;
        cache.announce();
        let Some(store) = cache.store() else { return Ok(Survey::default()) };
        let tag = tag.map(|tag| KeyHash::of(&cache.full_text(tag.key())));
        let most = if tag.is_some() { HEAD_WITH_TAGS } else { VALUE_HEADER };
        let namespace = &cache.settings().namespace;
        let (mut groups, mut looked_at) = (Groups::default(), 0);
        let begun = Instant::now();
        let mut visit = |visited: Visited| {
            let Visited { keys, now_ms, looked, of } = visited;
            for (key, seen) in keys {
                let hash = KeyHash::of(&key);
                let found = record::describe(&seen.head, seen.size.unwrap_or_default(), hash);
                if tag.is_none_or(|tag| has_tag(&found, tag)) {
                    groups.add(namespace.text_in(&key), &found, &seen, now_ms);
                }
            }
            looked_at = looked;
            progress(SurveyProgress {
                looked_at: of.map_or(looked, |of| looked.min(of)),
                keys: of,
            });
            let due = begun + Duration::from_secs(1).mul_f64(to_f64(looked) / f64::from(rate));
            let rests: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> =
                Box::pin(sleep_until(due));
            rests
        };
        let pattern = cache.full_pattern(&pattern);
        let visited = store.visit(&pattern, Inspect { most }, &mut visit).await;
        visited.map_err(|error| cache.explained(error))?;
        Ok(groups.summed_up(looked_at))
    }
}

/// Whether it is a value that was stored with a tag.
fn has_tag(found: &Described, tag: KeyHash) -> bool {
    match found {
        Described::Value(value) => value.tags().any(|(own, _)| own == tag),
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of keys, for a duration")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
