//! Values that can be part of a key.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num;
use std::rc::Rc;
use std::sync::Arc;

use super::Segment;

/// A value that can be part of a key.
///
/// Implemented for integers, `bool`, `char`, strings, IP addresses, `Uuid` (feature `uuid`), and for references,
/// smart pointers, options, lists and tuples of these. Not implemented for floats (`NaN` and `-0.0` have no unique
/// spelling) or maps (no order): use `<filter:hash>` in the template for those. Implement it for your own types in
/// terms of their parts:
///
/// ```
/// use cache_runtime::{Key, KeyPart, Segment};
///
/// struct UserId(i64);
///
/// impl KeyPart for UserId {
///     fn write(&self, segment: &mut Segment<'_>) {
///         self.0.write(segment);
///     }
/// }
///
/// let key: Key<String> = Key::<String>::builder().text("user:").part(&UserId(7)).done();
/// assert_eq!(key.as_str(), "user:7");
/// ```
///
/// Different values must be written differently. The segment takes care of escaping. Write a value with several parts
/// with [`Segment::list`], or as a tuple, so that `("a", "bc")` and `("ab", "c")` differ.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache key",
    label = "not a `KeyPart`",
    note = "if it does not decide the result (a pool, a client, a logger), name the parameter in `skip(...)`",
    note = "if it does, hash it with `<name:hash>` (any `Serialize` type) or implement `KeyPart` for it"
)]
pub trait KeyPart {
    /// Writes the value into a key.
    fn write(&self, segment: &mut Segment<'_>);
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl KeyPart for $int {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.text(itoa::Buffer::new().format(*self));
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

macro_rules! non_zero {
    ($($int:ident),*) => {$(
        impl KeyPart for num::$int {
            fn write(&self, segment: &mut Segment<'_>) {
                self.get().write(segment);
            }
        }
    )*};
}
non_zero!(NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize);
non_zero!(NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize);

macro_rules! displayed {
    ($($displayed:ty),*) => {$(
        impl KeyPart for $displayed {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.text(&self.to_string());
            }
        }
    )*};
}
displayed!(IpAddr, Ipv4Addr, Ipv6Addr);

impl KeyPart for bool {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(if *self { "true" } else { "false" });
    }
}

impl KeyPart for char {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(self.encode_utf8(&mut [0; 4]));
    }
}

impl KeyPart for str {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(self);
    }
}

impl KeyPart for String {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(self);
    }
}

#[cfg(feature = "uuid")]
impl KeyPart for uuid::Uuid {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(self.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<P: KeyPart + ?Sized> KeyPart for $pointer {
            fn write(&self, segment: &mut Segment<'_>) {
                (**self).write(segment);
            }
        }
    )*};
}
pointers!(&P, &mut P, Box<P>, Rc<P>, Arc<P>);

impl<P: KeyPart + ToOwned + ?Sized> KeyPart for Cow<'_, P> {
    fn write(&self, segment: &mut Segment<'_>) {
        (**self).write(segment);
    }
}

impl<P: KeyPart> KeyPart for Option<P> {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.option(self.as_ref());
    }
}

impl<P: KeyPart> KeyPart for [P] {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.list(self);
    }
}

impl<P: KeyPart, const N: usize> KeyPart for [P; N] {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.list(self);
    }
}

impl<P: KeyPart> KeyPart for Vec<P> {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.list(self);
    }
}

impl<P: KeyPart> KeyPart for BTreeSet<P> {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.list(self);
    }
}

macro_rules! tuples {
    ($(($($part:ident $at:tt),+))*) => {$(
        impl<$($part: KeyPart),+> KeyPart for ($($part,)+) {
            fn write(&self, segment: &mut Segment<'_>) {
                segment.items(|list| { $(list.item(&self.$at);)+ });
            }
        }
    )*};
}
tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
