//! How a worker keeps the arguments that it is created with.

/// An argument that is an owned `T`, or can be turned into one.
///
/// A worker outlives the call that creates it, so it keeps a copy of each argument that its sink
/// takes by reference. If the sink takes a `db: &PgPool`, you can write both
/// `save_views_worker(db)` and `save_views_worker(&db)`; for a `table: &str` you can pass both a
/// `String` and a `&str`.
///
/// You never need to implement this trait: it is implemented for `T` and `&T`, and if `T` is `str`
/// or a slice, also for `String` and `Vec`.
#[diagnostic::on_unimplemented(
    message = "the worker keeps a `{T}`, which `{Self}` cannot be made into",
    label = "expected `{T}` or `&{T}`"
)]
pub trait Own<T: ToOwned + ?Sized> {
    /// The value itself, or a copy of the referenced value.
    fn own(self) -> T::Owned;
}

impl<T: Clone> Own<T> for T {
    fn own(self) -> T {
        self
    }
}

impl<T: ToOwned + ?Sized> Own<T> for &T {
    fn own(self) -> T::Owned {
        self.to_owned()
    }
}

impl Own<str> for String {
    fn own(self) -> String {
        self
    }
}

impl Own<str> for &String {
    fn own(self) -> String {
        self.clone()
    }
}

impl<T: Clone> Own<[T]> for Vec<T> {
    fn own(self) -> Vec<T> {
        self
    }
}

impl<T: Clone> Own<[T]> for &Vec<T> {
    fn own(self) -> Vec<T> {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn references_and_values_are_kept_alike() {
        let text = "abc".to_owned();
        let texts: [String; 3] =
            [Own::<str>::own("abc"), Own::<str>::own(&text), Own::<str>::own(text.clone())];
        assert!(texts.iter().all(|kept| *kept == text));
        let numbers = vec![1, 2];
        let lists: [Vec<i32>; 3] = [
            Own::<[i32]>::own(&numbers[..]),
            Own::<[i32]>::own(&numbers),
            Own::<[i32]>::own(numbers.clone()),
        ];
        assert!(lists.iter().all(|kept| *kept == numbers));
        let shared = Arc::new(7);
        let kept: [Arc<i32>; 2] =
            [Own::<Arc<i32>>::own(&shared), Own::<Arc<i32>>::own(Arc::clone(&shared))];
        assert!(kept.iter().all(|kept| Arc::ptr_eq(kept, &shared)));
        let path: PathBuf = Own::<Path>::own(Path::new("a"));
        assert_eq!(path, Path::new("a"));
        let still: &'static str = Own::<&'static str>::own("abc");
        assert_eq!(still, text);
    }
}
