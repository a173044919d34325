//! One key or several.

use crate::key::{Key, Tag, Unhashable};
use crate::policy::{BY_HAND, Callsite};

/// One or several typed keys: the argument of [`Cache::invalidate`](crate::Cache::invalidate).
///
/// Implemented for `&Key<T>` and `&Tag`, for slices, arrays and vectors of keys, and for tuples of
/// any of these, whose value types may differ. Collect an iterator first:
/// `ids.iter().map(get_user_key).collect::<Vec<_>>()`.
///
/// ```
/// # use std::time::Duration;
/// # use cache_runtime::{Cache, Key};
/// fn key<T>(text: &'static str) -> Key<T> {
///     Key::<T>::builder().text(text).done().ttl(Duration::from_secs(60))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
/// let cache = Cache::in_memory();
/// let (user, tags) = (key::<String>("user"), key::<Vec<String>>("tags"));
/// cache.put(&user, &"Ada".to_owned()).await?;
/// cache.invalidate((&user, &tags)).await?;
/// cache.invalidate(&[key::<u8>("a"), key("b")]).await?;
/// assert_eq!(cache.get(&user).await?, None);
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key, nor several",
    label = "needs to be a `&Key<T>`, a `&Tag`, or a list or tuple of those",
    note = "the key of a cached function comes from its companion: `&get_user_key(&id)`",
    note = "any other is built, so that its values are escaped: \
        `&Key::<()>::builder().text(\"user:\").part(&id).done()`",
    note = "all keys that match a glob are invalidated by `invalidate_matching(\"user:*\")`"
)]
pub trait Keys {
    /// Calls `visit` with the text of each key.
    fn visit(&self, visit: &mut dyn FnMut(&str));

    /// Calls `visit` with each key that names no entry.
    #[doc(hidden)]
    fn refused(&self, _visit: &mut dyn FnMut(Refused)) {}
}

/// A key with a value that has no hash.
#[doc(hidden)]
#[derive(Debug)]
pub struct Refused(pub(crate) &'static Callsite, pub(crate) Unhashable);

impl<T> Keys for Key<T> {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        if self.unhashable().is_none() {
            visit(self.as_str());
        }
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        self.unhashable().into_iter().for_each(|why| visit(Refused(self.callsite(), why)));
    }
}

/// All entries with the tag.
impl Keys for Tag {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        if self.unhashable().is_none() {
            visit(self.key());
        }
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        self.unhashable().into_iter().for_each(|why| visit(Refused(&BY_HAND, why)));
    }
}

impl<K: Keys + ?Sized> Keys for &K {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        (**self).visit(visit);
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        (**self).refused(visit);
    }
}

impl<K: Keys> Keys for [K] {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        for keys in self {
            keys.visit(visit);
        }
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        for keys in self {
            keys.refused(visit);
        }
    }
}

impl<K: Keys, const N: usize> Keys for [K; N] {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        self.as_slice().refused(visit);
    }
}

impl<K: Keys> Keys for Vec<K> {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }

    fn refused(&self, visit: &mut dyn FnMut(Refused)) {
        self.as_slice().refused(visit);
    }
}

macro_rules! tuples {
    ($(($($keys:ident $at:tt),+))*) => {$(
        impl<$($keys: Keys),+> Keys for ($($keys,)+) {
            fn visit(&self, visit: &mut dyn FnMut(&str)) {
                $(self.$at.visit(visit);)+
            }

            fn refused(&self, visit: &mut dyn FnMut(Refused)) {
                $(self.$at.refused(visit);)+
            }
        }
    )*};
}
tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
