//! A value as serde shows it: to compare two of them and to find the place where they differ, or to
//! recognize their type.

mod parts;
mod ser;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use self::ser::Writer;
use crate::codec::Codec;

/// Everything that serde's data model tells apart. Newtypes are their contents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    None,
    Some(Box<Tree>),
    Unit,
    Bool(bool),
    /// Of any width: the type is the same on both sides.
    Integer(i128),
    /// Above the others.
    Wide(u128),
    F32(u32),
    F64(u64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    /// A list or a set.
    Items(Vec<Tree>),
    Tuple(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    /// A field's name, in a map that serde makes of a structure with flattened parts.
    Name(String),
    Fields(Vec<(&'static str, Tree)>),
    Variant(&'static str, Box<Tree>),
    /// In place of a value, where only the type counts.
    Kind(&'static str),
}

impl Tree {
    /// The value as serde shows it to this codec; `None` if it shows nothing that can be compared.
    pub(crate) fn of<T: Serialize>(value: &T, codec: Codec) -> Option<Self> {
        value.serialize(Writer::of_values(codec == Codec::Json)).ok()
    }

    /// What serde shows of the value's type, in an order of its own for maps and lists.
    pub(super) fn of_type<T: Serialize>(value: &T, codec: Codec) -> Option<Self> {
        let tree = value.serialize(Writer::of_kinds(codec == Codec::Json)).ok()?;
        Some(tree.ordered(true))
    }

    /// All the bits of a float, but the same for every NaN.
    fn of_f32(value: f32) -> Self {
        Self::F32(if value.is_nan() { f32::NAN } else { value }.to_bits())
    }

    fn of_f64(value: f64) -> Self {
        Self::F64(if value.is_nan() { f64::NAN } else { value }.to_bits())
    }

    /// The path to the first place where the other tree differs, such as `user.roles[2]`; empty if
    /// that is the value as a whole. The order of maps and lists does not count: that of a
    /// `HashSet` is another one each time.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if self == other || self.sorted() == other.sorted() {
            return None;
        }
        let mut path = String::new();
        self.descend(other, &mut path);
        Some(path)
    }

    /// The same tree with its maps and lists in order.
    fn sorted(&self) -> Self {
        self.ordered(false)
    }

    /// With `once`, what is several times in a map or a list is there once.
    fn ordered(&self, once: bool) -> Self {
        let inside = |tree: &Self| tree.ordered(once);
        match self {
            Self::Some(content) => Self::Some(Box::new(inside(content))),
            Self::Variant(name, content) => Self::Variant(name, Box::new(inside(content))),
            Self::Items(items) => Self::Items(in_order(items.iter().map(inside), once)),
            Self::Tuple(items) => Self::Tuple(items.iter().map(inside).collect()),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (inside(key), inside(value)));
                Self::Map(in_order(entries, once))
            }
            Self::Fields(fields) => {
                Self::Fields(fields.iter().map(|(name, value)| (*name, inside(value))).collect())
            }
            leaf => leaf.clone(),
        }
    }

    /// Appends the way to the first difference, of which there is one. Only names of fields and
    /// positions are shown: keys of maps are data.
    fn descend(&self, other: &Self, path: &mut String) {
        match (self, other) {
            (Self::Some(one), Self::Some(two)) => one.descend(two, path),
            (Self::Variant(name, one), Self::Variant(other, two)) if name == other => {
                one.descend(two, path);
            }
            (Self::Fields(one), Self::Fields(two)) => descend_fields(one, two, path),
            (Self::Items(one), Self::Items(two)) | (Self::Tuple(one), Self::Tuple(two))
                if one.len() == two.len() =>
            {
                let mut pairs = one.iter().zip(two).enumerate();
                if let Some((at, (one, two))) =
                    pairs.find(|(_, (one, two))| one.sorted() != two.sorted())
                {
                    // Writing to a `String` does not fail.
                    _ = write!(path, "[{at}]");
                    one.descend(two, path);
                }
            }
            (Self::Map(one), Self::Map(two)) => descend_map(one, two, path),
            _ => {}
        }
    }
}

fn in_order<T: Ord>(parts: impl Iterator<Item = T>, once: bool) -> Vec<T> {
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable();
    if once {
        parts.dedup();
    }
    parts
}

fn descend_map(one: &[(Tree, Tree)], two: &[(Tree, Tree)], path: &mut String) {
    let others: BTreeMap<_, _> = two.iter().map(|(key, value)| (key, value)).collect();
    for (key, one) in one {
        let name = if let Tree::Name(name) = key { Some(name) } else { None };
        match (others.get(key), name) {
            (Some(two), _) if one.sorted() == two.sorted() => {}
            (Some(two), name) => {
                match name {
                    Some(name) => enter(name, path),
                    None => path.push_str("[..]"),
                }
                return one.descend(two, path);
            }
            (None, Some(name)) => return enter(name, path),
            (None, None) => {}
        }
    }
}

fn enter(name: &str, path: &mut String) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

fn descend_fields(one: &[(&'static str, Tree)], two: &[(&'static str, Tree)], path: &mut String) {
    let find = |fields: &'_ [(&'static str, Tree)], name| {
        fields.iter().position(|(other, _)| *other == name)
    };
    for (name, one) in one {
        match find(two, *name).and_then(|at| two.get(at)) {
            Some((_, two)) if one.sorted() == two.sorted() => {}
            Some((_, two)) => {
                enter(name, path);
                return one.descend(two, path);
            }
            None => return enter(name, path),
        }
    }
    if let Some((name, _)) = two.iter().find(|(name, _)| find(one, *name).is_none()) {
        enter(name, path);
    }
}
