//! What the name of a type tells that serde does not.
//!
//! To serde a set is a sequence like any other, whose order is another one in every instance, and
//! an array is a tuple, although it is equal to a list of the same elements. But a value's type is
//! known where serde hands it on, and so is the type's name. If a set is not recognised (a wrapper
//! serializes its elements by itself, or the compiler spells names differently one day), equal sets
//! get different keys: misses, and never another set's value.

/// Those in which the order of the elements says nothing: crate and name.
const SETS: [(&str, &str); 10] = [
    ("std", "HashSet"),
    ("alloc", "BinaryHeap"),
    ("alloc", "BTreeSet"),
    ("ahash", "AHashSet"),
    ("dashmap", "DashSet"),
    ("hashbrown", "HashSet"),
    ("im", "HashSet"),
    ("imbl", "HashSet"),
    ("indexmap", "IndexSet"),
    ("scc", "HashSet"),
];

/// What serializes as what it points to. Some compilers write lifetimes, and some do not.
const POINTERS: [&str; 8] = [
    "&mut ",
    "&",
    "'_ ",
    "'_, ",
    "alloc::boxed::Box<",
    "alloc::rc::Rc<",
    "alloc::sync::Arc<",
    "alloc::borrow::Cow<",
];

/// Whether a type of this name is a set, or points to one.
pub(super) fn is_set(name: &str) -> bool {
    let (krate, last) = ends(pointee(name));
    SETS.contains(&(krate, last))
}

/// Whether a type of this name is an array, or points to one.
pub(super) fn is_array(name: &str) -> bool {
    pointee(name).starts_with('[')
}

fn pointee(mut name: &str) -> &str {
    while let Some(pointee) = POINTERS.iter().find_map(|pointer| name.strip_prefix(pointer)) {
        name = pointee;
    }
    name
}

/// The first and the last name of a type's path, without generics.
pub(super) fn ends(name: &str) -> (&str, &str) {
    let path = name.split('<').next().unwrap_or(name);
    let krate = path.split("::").next().unwrap_or(path);
    (krate, path.rsplit("::").next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::borrow::Cow;
    use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
    use std::hash::BuildHasherDefault;
    use std::rc::Rc;
    use std::sync::Arc;

    use super::{is_array, is_set};

    type Hasher = BuildHasherDefault<std::hash::DefaultHasher>;

    #[test]
    fn sets_are_recognised_by_the_names_that_the_compiler_gives_them() {
        for set in [
            type_name::<HashSet<i32>>(),
            type_name::<HashSet<Vec<&str>, Hasher>>(),
            type_name::<&HashSet<i32>>(),
            type_name::<&mut HashSet<i32>>(),
            type_name::<Arc<HashSet<i32>>>(),
            type_name::<&Box<Rc<HashSet<String>>>>(),
            type_name::<Cow<'_, HashSet<i32>>>(),
            type_name::<BinaryHeap<i32>>(),
            type_name::<BTreeSet<i32>>(),
            "hashbrown::set::HashSet<i32>",
            "indexmap::set::IndexSet<i32>",
        ] {
            assert!(is_set(set), "{set}");
        }
        for other in [
            type_name::<Vec<HashSet<i32>>>(),
            type_name::<Option<HashSet<i32>>>(),
            type_name::<HashMap<i32, i32>>(),
            type_name::<[i32]>(),
            type_name::<(HashSet<i32>,)>(),
            "shop::HashSet<i32>",
        ] {
            assert!(!is_set(other), "{other}");
        }
        assert!(is_array(type_name::<[u8; 2]>()) && is_array(type_name::<&Box<[u8; 2]>>()));
        assert!(!is_array(type_name::<([u8; 2],)>()) && !is_array(type_name::<Vec<[u8; 2]>>()));
    }
}
