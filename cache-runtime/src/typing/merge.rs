//! `merge = path`: two items of one key become one.

/// A function that makes one item of an older and a newer one.
///
/// `How` is one of `InPlace`, `Reading` and `Anew`, so that the kinds of functions can be told
/// apart; the compiler finds it out.
#[diagnostic::on_unimplemented(
    message = "this cannot merge two items of type `{T}`",
    label = "expected a `fn(&mut {T}, {T})`, a `fn(&mut {T}, &{T})` or a `fn({T}, {T}) -> {T}`",
    note = "the first item is the older one, the second one the newer"
)]
pub trait Fold<T, How> {
    /// The item that stands for both.
    fn fold(self, older: T, newer: T) -> T;
}

/// The newer item is added to the older one: `fn(&mut T, T)`.
#[derive(Debug)]
pub struct InPlace;

/// The same, by reference: `fn(&mut T, &T)`.
#[derive(Debug)]
pub struct Reading;

/// Both make a new one: `fn(T, T) -> T`.
#[derive(Debug)]
pub struct Anew;

impl<T, F: Fn(&mut T, T)> Fold<T, InPlace> for F {
    fn fold(self, mut older: T, newer: T) -> T {
        self(&mut older, newer);
        older
    }
}

impl<T, F: Fn(&mut T, &T)> Fold<T, Reading> for F {
    fn fold(self, mut older: T, newer: T) -> T {
        self(&mut older, &newer);
        older
    }
}

impl<T, F: Fn(T, T) -> T> Fold<T, Anew> for F {
    fn fold(self, older: T, newer: T) -> T {
        self(older, newer)
    }
}

/// What becomes of two items under `merge = by`.
pub fn merge<T, How>(by: impl Fold<T, How>, older: T, newer: T) -> T {
    by.fold(older, newer)
}

#[cfg(test)]
mod tests {
    use std::ops::{Add, AddAssign};

    use super::*;

    #[test]
    fn functions_of_all_kinds() {
        fn add(sums: &mut [u64; 2], more: &[u64; 2]) {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        fn longer(one: String, other: String) -> String {
            if one.len() > other.len() { one } else { other }
        }
        assert_eq!(merge(<u8 as Add>::add, 1, 2), 3);
        assert_eq!(merge(<u8 as AddAssign>::add_assign, 1, 2), 3);
        assert_eq!(merge(add, [1, 2], [3, 4]), [4, 6]);
        assert_eq!(merge(Vec::extend::<Vec<u8>>, vec![1], vec![2]), [1, 2]);
        assert_eq!(merge(longer, "ab".to_owned(), "c".to_owned()), "ab");
    }
}
