//! `cachectl explain`

use cache_runtime::{Cache, Key, Tag};
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;

/// Say what is in the key of an entry, and why a call would not be served it
///
/// Nothing of a value's content is shown.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The key, such as `user:7`
    key: String,

    /// A tag that the entry has: whether it was invalidated can be told of tags by their names only
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl Explain {
    pub(crate) async fn run(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        cache.ping().await?;
        let tags = self.tags.iter().map(|tag| Tag::from_text(tag));
        let key = tags.fold(Key::from_text(self.key), Key::tag);
        let found = cache.explain(&key).await?;
        output.print(&found, &found)
    }
}
