//! Tags: names of groups of entries.

use std::fmt;

use serde::Serialize;

use crate::key::{KeyPart, KeyText, Unhashable};
use crate::policy;

/// What a tag's key begins with, behind the namespace. No key of an entry does: a template that
/// begins with `~` does not compile, and a value's `~` is escaped there.
pub(crate) const TAG_PREFIX: &str = "~tag:";
/// The key that changes with every tag: see [`of_value`](crate::engine::tags).
pub(crate) const EPOCH: &str = "~tags";

/// A tag: the name of a group of entries that are invalidated together.
///
/// Functions give their entries tags with `tags = ["org:<org_id>"]`, and writes invalidate them
/// with `#[invalidates(tag = "org:<org_id>")]`. By hand, a tag is built in the same way as a
/// [`Key`](crate::Key): literal text is taken as it is, values are escaped.
///
/// ```
/// # use cache_runtime::{Cache, Tag, cached};
/// #[cached(key = "member:<org>:<id>", ttl = "1h", tags = ["org:<org>", "members"])]
/// async fn member(org: &str, id: u64) -> String {
///     format!("member {id} of {org}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
/// # let cache = Cache::in_memory();
/// # cache.scope(async {
/// member("acme", 7).await;
/// assert!(cache.get(&member_key("acme", &7)).await?.is_some());
/// cache.invalidate_tag(Tag::builder().text("org:").part("acme").done()).await?;
/// assert!(cache.get(&member_key("acme", &7)).await?.is_none());
///
/// member("acme", 7).await;
/// cache.invalidate_tag("members").await?;
/// assert!(cache.get(&member_key("acme", &7)).await?.is_none());
/// # Ok(()) }).await }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    /// With the prefix, without the namespace.
    key: String,
    /// Why no entry has it.
    unhashable: Option<Unhashable>,
}

/// Builds the text of a tag; created by [`Tag::builder`].
#[derive(Clone, Debug)]
#[must_use = "a tag's text does nothing until `done`"]
pub struct TagText(KeyText);

impl Tag {
    /// Starts building a tag.
    pub fn builder() -> TagText {
        TagText(KeyText::new(&policy::BY_HAND).text(TAG_PREFIX))
    }

    /// The tag with this text, as [`as_str`](Self::as_str) shows it, for tools that get a tag as
    /// text. Nothing is escaped: code that knows the values [builds](Self::builder) the tag.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { key: [TAG_PREFIX, text].concat(), unhashable: None }
    }

    /// The text of the tag, as its template spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.key.strip_prefix(TAG_PREFIX).unwrap_or_default()
    }

    /// The text of its key, without the namespace.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The same, if the tag can have entries.
    pub(crate) fn into_key(self) -> Result<String, Unhashable> {
        self.unhashable.map_or(Ok(self.key), Err)
    }

    /// Why no entry has it, if a value in it has no hash.
    pub(crate) fn unhashable(&self) -> Option<Unhashable> {
        self.unhashable
    }
}

impl TagText {
    /// Appends literal text as it is. Values go through [`part`](Self::part).
    pub fn text(self, text: &'static str) -> Self {
        Self(self.0.text(text))
    }

    /// Appends a value, escaped.
    pub fn part(self, value: &(impl KeyPart + ?Sized)) -> Self {
        Self(self.0.part(value))
    }

    /// Appends a value that is followed by text beginning with `next`, and escapes that character
    /// in the value too.
    pub fn part_before(self, value: &(impl KeyPart + ?Sized), next: char) -> Self {
        Self(self.0.part_before(value, next))
    }

    /// Appends a 128-bit hash of a value; see [`KeyText::hash`].
    pub fn hash(self, value: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.hash(value))
    }

    /// Appends the name of a type.
    pub fn type_name<T: ?Sized>(self) -> Self {
        Self(self.0.type_name::<T>())
    }

    /// The finished tag.
    #[must_use]
    pub fn done(self) -> Tag {
        let (key, unhashable) = self.0.into_parts();
        Tag { key, unhashable }
    }
}

impl From<&'static str> for Tag {
    /// A tag without values. This takes only a literal: text assembled at run time would not name
    /// the tag whose template it resembles, because values are escaped there.
    fn from(text: &'static str) -> Self {
        Self::builder().text(text).done()
    }
}

/// What is a tag, or can be made one: a [`Tag`], a `&Tag`, or a literal without values, such as
/// `"members"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tag",
    label = "needs to be a `Tag` or a literal",
    note = "a tag with values is built, so that they are escaped as those of `tags = \
            [\"org:<org_id>\"]` are: `Tag::builder().text(\"org:\").part(&org_id).done()`",
    note = "a tag without values is a literal: `\"members\"`"
)]
pub trait AsTag: Into<Tag> {}

// Else rustc would tell of the conversions that there are to a `Tag`.
#[diagnostic::do_not_recommend]
impl<T: Into<Tag>> AsTag for T {}

impl From<&Self> for Tag {
    fn from(tag: &Self) -> Self {
        tag.clone()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tag").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn values_can_forge_no_other_tag() {
        let tag = |id: &str| Tag::builder().text("org:").part(id).done();
        assert_eq!((tag("7").key(), tag("7").as_str()), ("~tag:org:7", "org:7"));
        assert_eq!(tag("7:8").as_str(), "org:7%3A8");
        assert_eq!(Tag::from("org:7"), tag("7"));
    }

    #[test]
    fn no_value_makes_the_key_of_an_entry_that_of_a_tag() {
        let key = |first: &str, second: &str| {
            Key::<u8>::builder().part(first).text(":").part(second).done()
        };
        assert_eq!(key("~tag", "org").as_str(), "%7Etag:org");
        assert_eq!(key("a~", "~b").as_str(), "a~:~b");
        assert_ne!(key("~", "a"), key("%7E", "a"));
    }
}
