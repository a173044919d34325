//! One key or several.

use crate::key::{Key, Tag};

/// One or several typed keys: the argument of [`Cache::invalidate`](crate::Cache::invalidate).
///
/// Implemented for `&Key<T>` and `&Tag`, for slices, arrays and vectors of keys, and for tuples of any of these,
/// whose value types may differ. Collect an iterator first: `ids.iter().map(get_user_key).collect::<Vec<_>>()`.
///
/// ```
/// # use cache_runtime::{Cache, Key};
/// fn key<T>(text: &'static str) -> Key<T> {
///     Key::<T>::builder().text(text).done()
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), cache_runtime::Error> {
/// let (cache, user, tags) = (Cache::in_memory(), key::<String>("user"), key::<Vec<String>>("tags"));
/// cache.put(&user, &"Ada".to_owned()).await?;
/// cache.invalidate((&user, &tags)).await?;
/// cache.invalidate(&[key::<u8>("a"), key("b")]).await?;
/// assert_eq!(cache.get(&user).await?, None);
/// # Ok(()) }
/// ```
pub trait Keys {
    /// Calls `visit` with the text of each key.
    fn visit(&self, visit: &mut dyn FnMut(&str));
}

impl<T> Keys for Key<T> {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        visit(self.as_str());
    }
}

/// All entries with the tag.
impl Keys for Tag {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        visit(self.key());
    }
}

impl<K: Keys + ?Sized> Keys for &K {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        (**self).visit(visit);
    }
}

impl<K: Keys> Keys for [K] {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        for keys in self {
            keys.visit(visit);
        }
    }
}

impl<K: Keys, const N: usize> Keys for [K; N] {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}

impl<K: Keys> Keys for Vec<K> {
    fn visit(&self, visit: &mut dyn FnMut(&str)) {
        self.as_slice().visit(visit);
    }
}

macro_rules! tuples {
    ($(($($keys:ident $at:tt),+))*) => {$(
        impl<$($keys: Keys),+> Keys for ($($keys,)+) {
            fn visit(&self, visit: &mut dyn FnMut(&str)) {
                $(self.$at.visit(visit);)+
            }
        }
    )*};
}
tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
