//! Values whose text is changed before it becomes part of a key.

use std::fmt::Display;
use std::mem;

use serde::{Serialize, Serializer};

use crate::key::{KeyPart, Segment};

/// A value in lower case: `<name:lower>` in a template, `.part(&Lower(name))` by hand.
///
/// Every text that the value writes is changed by [`str::to_lowercase`], before it is escaped;
/// numbers stay as they are. Write it wherever the same entry is named: in the key of the read, in
/// its tags, and in the targets of writes.
///
/// ```
/// use cache_runtime::Key;
/// use cache_runtime::key::{Lower, Trim};
///
/// fn user_key(email: &str) -> Key<String> {
///     Key::<String>::builder().text("user:").part(&Lower(Trim(email))).done()
/// }
/// assert_eq!(user_key(" Ada@Example.com\n"), user_key("ada@example.com"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lower<P>(pub P);

/// A value without the white space before and behind it: `<name:trim>` in a template,
/// `.part(&Trim(name))` by hand.
///
/// Every text that the value writes is changed by [`str::trim`], before it is escaped. See
/// [`Lower`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trim<P>(pub P);

/// What a value's `Display` shows: `<day:display>` in a template, `.part(&Displayed(day))` by hand.
///
/// For types that have no [`KeyPart`]. Whoever writes it says that `Display` shows everything of a
/// value that decides the result, and shows it in the same way in every process. The text is
/// escaped like any other.
///
/// ```
/// use cache_runtime::key::Displayed;
/// use cache_runtime::Key;
///
/// /// 3/2 and 6/4 are shown alike, and are the same.
/// struct Ratio(u32, u32);
///
/// impl std::fmt::Display for Ratio {
///     // ..
/// #   fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{}/{}", self.0, self.1) }
/// }
///
/// let ratio = Displayed(Ratio(3, 2));
/// let key: Key<String> = Key::builder().text("scale:").part(&ratio).done();
/// assert_eq!(key.as_str(), "scale:3/2");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Displayed<D>(pub D);

impl<D: Display> KeyPart for Displayed<D> {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(&self.0.to_string());
    }
}

impl<P: KeyPart> KeyPart for Lower<P> {
    fn write(&self, segment: &mut Segment<'_>) {
        let before = mem::replace(&mut segment.lower, true);
        self.0.write(segment);
        segment.lower = before;
    }
}

impl<P: KeyPart> KeyPart for Trim<P> {
    fn write(&self, segment: &mut Segment<'_>) {
        let before = mem::replace(&mut segment.trim, true);
        self.0.write(segment);
        segment.trim = before;
    }
}

/// For `<day:display:hash>`: the text that it would have in a key.
impl<D: Display> Serialize for Displayed<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// For `<name:lower:hash>`: the text that it would have in a key.
impl<P: KeyPart> Serialize for Lower<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(self))
    }
}

/// For `<name:trim:hash>`: the text that it would have in a key.
impl<P: KeyPart> Serialize for Trim<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(self))
    }
}

fn text(part: &impl KeyPart) -> String {
    let mut text = String::new();
    part.write(&mut Segment::new(&mut text, None));
    text
}
