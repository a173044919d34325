//! The tags of a key's entry.

use crate::key::parts::More;
use crate::key::{AsTag, Key, Tag};

impl<T> Key<T> {
    /// The same entry with one more tag.
    ///
    /// An entry's tags belong to its key, and everybody who uses the entry must agree on them: with
    /// other tags, or the same ones in another order, it is not found.
    ///
    /// ```
    /// # use cache_runtime::{Key, Tag};
    /// fn member_key(org: &str, id: u64) -> Key<String> {
    ///     let key = Key::<String>::builder().text("member:").part(org).text(":").part(&id);
    ///     key.done().tag(Tag::builder().text("org:").part(org).done()).tag("members")
    /// }
    /// # member_key("acme", 7);
    /// ```
    #[must_use]
    pub fn tag(mut self, tag: impl AsTag) -> Self {
        let (tag, more) = (tag.into(), self.more.get_or_insert_default());
        more.unhashable = more.unhashable.or(tag.unhashable());
        more.tags.push(tag);
        self
    }

    /// The same entry with further tags that its value tells, such as the author of an article that
    /// was asked for by its slug. A value has at most 128 of them, of 32 KiB together; one with
    /// more is not stored, which is described in the log and counted in
    /// [`FunctionStats::fills_oversized`](crate::stats::FunctionStats::fills_oversized).
    ///
    /// Like its other tags, they belong to the key: everybody who uses the entry must give it the
    /// same function.
    ///
    /// ```
    /// # use cache_runtime::{Key, Tag, tag};
    /// struct Article { slug: String, author: u64 }
    ///
    /// fn article_key(slug: &str) -> Key<Article> {
    ///     let key = Key::<Article>::builder().text("article:").part(slug).done();
    ///     key.tags_of(|article| vec![tag!("author:<article.author>")])
    /// }
    /// # article_key("tea");
    /// ```
    #[must_use]
    pub fn tags_of(mut self, tags: fn(&T) -> Vec<Tag>) -> Self {
        self.more.get_or_insert_default().tells_tags = true;
        Self { told: Some(tags), ..self }
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        More::tags(self.more.as_deref())
    }

    /// Whether its values tell further tags.
    pub(crate) fn tells_tags(&self) -> bool {
        More::tells_tags(self.more.as_deref())
    }
}
