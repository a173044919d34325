//! `cachectl invalidate`

use cache_runtime::inspect::KeyContent;
use cache_runtime::{Cache, Key, Tag};
use clap::Args;
use serde::Serialize;

use crate::confirmation::Confirmation;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::surveyed;
use crate::units::count;

/// Invalidate entries, as a write of the service would
///
/// Loads that are running store nothing afterwards, and fences of writes stay. Data of other
/// programs is left alone. It tells how many keys held something; of tags only a dry run does,
/// which goes through all keys of the server, as it does for a pattern.
#[derive(Args, Debug)]
pub(crate) struct Invalidate {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Target {
    /// Keys, such as `user:7`
    #[arg(value_name = "KEY")]
    keys: Vec<String>,

    /// Every entry with this tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Every entry whose key matches this glob, such as `user:7:*`
    #[arg(long, value_name = "GLOB")]
    pattern: Option<String>,
}

/// What was, or would be, done.
#[derive(Debug, Default, Serialize)]
struct Invalidated {
    dry_run: bool,
    keys: Vec<String>,
    tags: Vec<String>,
    pattern: Option<String>,
    /// Of keys and of a pattern those that held something; of tags those that were stored with
    /// them, which only a dry run looks for. One with two of the tags counts twice.
    entries: Option<u64>,
}

impl Invalidate {
    pub(crate) async fn run(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        let is_done = self.confirmation.is_given()?;
        cache.ping().await?;
        let Target { keys, tags, pattern } = self.target;
        let entries = match &pattern {
            Some(pattern) if is_done => Some(cache.invalidate_matching(pattern).await?),
            Some(pattern) => {
                let found = surveyed(cache.survey(pattern)).await?.total;
                Some(found.keys() - found.others)
            }
            None if keys.is_empty() => of_tags(cache, &tags, is_done).await?,
            None => Some(of_keys(cache, &keys, is_done).await?),
        };
        let done = Invalidated { dry_run: !is_done, keys, tags, pattern, entries };
        output.print(&done, words(&done))
    }
}

async fn of_keys(cache: &Cache, texts: &[String], is_done: bool) -> Result<u64, Failure> {
    let keys: Vec<_> = texts.iter().map(Key::from_text).collect();
    let mut held = 0;
    for key in &keys {
        let content = cache.explain(key).await?.content;
        let is_ours = !matches!(content, KeyContent::Nothing | KeyContent::Foreign { .. });
        held += u64::from(is_ours);
    }
    if is_done {
        cache.invalidate(keys).await?;
    }
    Ok(held)
}

async fn of_tags(cache: &Cache, texts: &[String], is_done: bool) -> Result<Option<u64>, Failure> {
    let mut entries = 0;
    for text in texts {
        let tag = Tag::from_text(text);
        if is_done {
            cache.invalidate_tag(tag).await?;
        } else {
            entries += surveyed(cache.survey("*").tag(tag)).await?.total.values;
        }
    }
    Ok((!is_done).then_some(entries))
}

fn words(done: &Invalidated) -> String {
    let verb = if done.dry_run { "would invalidate" } else { "invalidated" };
    match done.entries {
        Some(entries) => format!("{verb} {}", count(entries, "entry", "entries")),
        None => format!("{verb} every entry with {}", done.tags.join(", ")),
    }
}
