//! How much memory entries take, and lists and tables that give back what they do not need.

use std::collections::HashMap;
use std::sync::Arc;

/// What an allocator takes for so many bytes: its own word before them, in steps of 16.
pub(super) const fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16) }
}

/// What a key takes that is kept once and shared: its two counts, and its text.
pub(super) fn of_key(key: &str) -> usize {
    allocated(2 * size_of::<usize>() + key.len())
}

/// What an entry of a [`HashMap`] takes at most: a table has a byte more for each place, is full at
/// 7/8 of them, then doubles, and [`shrink_table`] halves it at 2/5 of that.
pub(super) const fn of_table_entry<T>() -> usize {
    (size_of::<T>() + 1) * 3
}

/// What an element of a list takes at most that grows by [`spare`] and is made smaller by
/// [`shrink_list`].
pub(super) const fn of_element<T>() -> usize {
    size_of::<T>() * 4 / 3
}

/// By how much a list of this length grows: little, so that not half of it is unused; enough, so
/// that moving it costs each element a constant time.
pub(super) const fn spare(length: usize) -> usize {
    length / 8 + 1
}

/// Gives memory back once a quarter of a list is unused.
pub(super) fn shrink_list<T>(list: &mut Vec<T>) {
    let length = list.len();
    if length <= list.capacity() / 4 * 3 {
        list.shrink_to(length + spare(length));
    }
}

/// Gives memory back once a table of half the size has room for a quarter more than there is.
pub(super) fn shrink_table<V>(table: &mut HashMap<Arc<str>, V>) {
    if table.len() <= table.capacity() / 5 * 2 {
        table.shrink_to(table.len() / 4 * 5);
    }
}
