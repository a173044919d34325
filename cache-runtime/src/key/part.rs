//! Values that can be part of a key.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::key::{Segment, moment};

/// A value that can be part of a key.
///
/// | type | in the key |
/// |---|---|
/// | integers, `NonZero..`, `bool`, `char`, strings, IP addresses | as `Display` shows them: `-7`, `true`, `::1` |
/// | `Duration` | seconds: `1.5s` |
/// | references, `Box`, `Rc`, `Arc`, `Cow` | what they point to |
/// | `Option` | `<->`, or what is in it |
/// | slices, arrays, `Vec`, tuples of up to twelve | `<a,b,>` |
/// | `BTreeSet`, `HashSet` | the same, in the order of the elements' texts |
/// | a type with `#[derive(KeyPart)]` | see [the derive](macro@crate::KeyPart) |
///
/// Those of other crates are there with the feature that has the name of the crate:
///
/// | feature | type | in the key |
/// |---|---|---|
/// | `uuid`, `ulid`, `url` | `Uuid`, `Ulid`, `Url` | as `Display` shows them |
/// | `rust_decimal` | `Decimal` | the shortest spelling, so that equal numbers are one: `1.5` of `1.50` |
/// | `chrono` | `NaiveDate`; `time`: `Date` | `2026-11-29` |
/// | `chrono` | `NaiveTime`; `time`: `Time` | `T093000`, with a fraction if there is one: `T093000.25` |
/// | `chrono` | `NaiveDateTime`; `time`: `PrimitiveDateTime` | `2026-11-29T093000` |
/// | `chrono` | `DateTime<Utc>`; `time`: `UtcDateTime` | `2026-11-29T093000Z` |
/// | `chrono` | `DateTime<FixedOffset>`; `time`: `OffsetDateTime` | `2026-11-29T093000+0100`, and `Z` where the offset is 0 |
/// | `chrono` | `TimeDelta`; `time`: `Duration` | seconds: `-1.5s` |
/// | `chrono`, `time` | `Weekday`, `Month` | as `Display` or `name()` spells them: `Mon`, `November` |
/// | `axum` | the extractors `Path`, `Query`, `Json` | what is in them |
///
/// The same moment in two offsets has two spellings: a body may ask what day it is there. Where
/// only the moment counts, convert it to UTC before the call, on reads and writes alike.
///
/// Not implemented for floats (`NaN` and `-0.0` have no unique spelling) or maps: use
/// `<filter:hash>` in the template for those. For a type that only has `Display` there is
/// `<day:display>`.
///
/// [Derive it](macro@crate::KeyPart) for your own types, or implement it in terms of their parts:
///
/// ```
/// use cache_runtime::key::Segment;
/// use cache_runtime::{Key, KeyPart};
///
/// struct Celsius(f64);
///
/// impl KeyPart for Celsius {
///     fn write(&self, segment: &mut Segment<'_>) {
///         // Other functions of this program never see more than one decimal.
///         segment.text(&format!("{:.1}", self.0));
///     }
/// }
///
/// let key: Key<String> = Key::<String>::builder().text("wear:").part(&Celsius(7.0)).done();
/// assert_eq!(key.as_str(), "wear:7.0");
/// ```
///
/// Different values must be written differently. The segment takes care of escaping. Write a value
/// with several parts with [`Segment::list`], or as a tuple, so that `("a", "bc")` and `("ab",
/// "c")` differ.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache key",
    label = "not a `KeyPart`",
    note = "if it does not decide the result (a pool, a client, a logger), name the parameter in \
        `skip(...)`",
    note = "if it is a type of yours, write `#[derive(cache_runtime::KeyPart)]` above it",
    note = "if it is one of axum, chrono, rust_decimal, time, ulid, url or uuid, switch on the \
            feature of that name of `cache-runtime`",
    note = "or put a field of it into the key, as `<id.0>`, its `Display` text, as \
            `<day:display>`, or its hash, as `<filter:hash>` (any `Serialize` type)"
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

impl KeyPart for Duration {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.text(&moment::span(false, self.as_secs(), self.subsec_nanos()));
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
        segment.set(self);
    }
}

impl<P: KeyPart, S> KeyPart for HashSet<P, S> {
    fn write(&self, segment: &mut Segment<'_>) {
        segment.set(self);
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
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}
