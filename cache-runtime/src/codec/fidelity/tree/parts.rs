//! How serde makes a [`Tree`] of a value that has parts.

use std::any::type_name;
use std::mem;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::codec::fidelity::tree::Tree;
use crate::codec::fidelity::tree::ser::{Hidden, Writer};

/// Shows what has parts.
pub(super) struct Parts<P> {
    writer: Writer,
    shown: Vec<P>,
    variant: Option<&'static str>,
}

pub(super) type Items = Parts<Tree>;
pub(super) type Fields = Parts<(&'static str, Tree)>;

impl<P: PartialEq> Parts<P> {
    pub(super) fn new(writer: Writer, variant: Option<&'static str>) -> Self {
        Self { writer, shown: Vec::new(), variant }
    }

    /// One of any number of parts: where only types count, a run of the same is one.
    fn one_of_many(&mut self, part: P) {
        if !(self.writer.only_kinds && self.shown.last() == Some(&part)) {
            self.shown.push(part);
        }
    }

    /// One of a number of parts that the type says.
    fn one(&mut self, part: P) {
        self.shown.push(part);
    }

    fn finish(self, tree: fn(Vec<P>) -> Tree) -> Tree {
        let parts = tree(self.shown);
        match self.variant {
            Some(name) => Tree::Variant(name, Box::new(parts)),
            None => parts,
        }
    }
}

/// Shows a map. A value follows its key.
pub(super) struct Entries {
    parts: Parts<(Tree, Tree)>,
    key: Option<Tree>,
    /// It has not said how many entries there are, as a structure with flattened parts does not.
    is_open: bool,
}

impl Entries {
    pub(super) fn new(writer: Writer, is_open: bool) -> Self {
        Self { parts: Parts::new(writer, None), key: None, is_open }
    }
}

macro_rules! parts {
    ($($trait:ident $of:ident: $method:ident($($name:ident)?) $add:ident $tree:ident;)*) => {
        $(
            impl $trait for $of {
                type Ok = Tree;
                type Error = Hidden;

                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($name: &'static str,)?
                    value: &T,
                ) -> Result<(), Hidden> {
                    let value = self.writer.inside(value)?;
                    self.$add(($($name,)? value));
                    Ok(())
                }

                fn end(self) -> Result<Tree, Hidden> {
                    Ok(self.finish(Tree::$tree))
                }
            }
        )*
    };
}
parts! {
    SerializeSeq Items: serialize_element() one_of_many Items;
    SerializeTuple Items: serialize_element() one Tuple;
    SerializeTupleStruct Items: serialize_field() one Tuple;
    SerializeTupleVariant Items: serialize_field() one Tuple;
    SerializeStruct Fields: serialize_field(name) one Fields;
    SerializeStructVariant Fields: serialize_field(name) one Fields;
}

impl SerializeMap for Entries {
    type Ok = Tree;
    type Error = Hidden;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Hidden> {
        self.key = Some(self.parts.writer.inside(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Hidden> {
        let value = self.parts.writer.inside(value)?;
        let key = self.key.take().ok_or(Hidden)?;
        self.parts.one_of_many((key, value));
        Ok(())
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), Hidden>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.serialize_key(key)?;
        // Serde passes names as literals, and the keys of a map as values of their type, such as
        // `String`. What is taken for a name may be told.
        if self.is_open
            && type_name::<K>() == "str"
            && let Some(Tree::Text(name)) = &mut self.key
        {
            self.key = Some(Tree::Name(mem::take(name)));
        }
        self.serialize_value(value)
    }

    fn end(self) -> Result<Tree, Hidden> {
        Ok(self.parts.finish(Tree::Map))
    }
}
