//! Values of every shape that serde knows.

use proptest::prelude::*;
use serde::ser::{
    SerializeMap as _, SerializeSeq as _, SerializeStruct as _, SerializeStructVariant as _,
    SerializeTuple as _, SerializeTupleStruct as _, SerializeTupleVariant as _,
};
use serde::{Serialize, Serializer};

/// A value as serde sees it, so that every two different ones are told apart by their form alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(u32),
    F64(u64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Node>),
    Unit,
    UnitStruct(Name),
    UnitVariant(Variant),
    Newtype(Name, Box<Node>),
    NewtypeVariant(Variant, Box<Node>),
    Seq(Vec<Node>),
    Tuple(Vec<Node>),
    TupleStruct(Name, Vec<Node>),
    TupleVariant(Variant, Vec<Node>),
    Map(Vec<(Node, Node)>),
    Struct(Name, Vec<(Name, Option<Node>)>),
    StructVariant(Variant, Vec<(Name, Option<Node>)>),
}

type Name = &'static str;
type Variant = (Name, u32, Name);

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(it) => to.serialize_bool(*it),
            Self::I8(it) => to.serialize_i8(*it),
            Self::I16(it) => to.serialize_i16(*it),
            Self::I32(it) => to.serialize_i32(*it),
            Self::I64(it) => to.serialize_i64(*it),
            Self::I128(it) => to.serialize_i128(*it),
            Self::U8(it) => to.serialize_u8(*it),
            Self::U16(it) => to.serialize_u16(*it),
            Self::U32(it) => to.serialize_u32(*it),
            Self::U64(it) => to.serialize_u64(*it),
            Self::U128(it) => to.serialize_u128(*it),
            Self::F32(it) => to.serialize_f32(f32::from_bits(*it)),
            Self::F64(it) => to.serialize_f64(f64::from_bits(*it)),
            Self::Char(it) => to.serialize_char(*it),
            Self::Str(it) => to.serialize_str(it),
            Self::Bytes(it) => to.serialize_bytes(it),
            Self::None => to.serialize_none(),
            Self::Some(it) => to.serialize_some(it),
            Self::Unit => to.serialize_unit(),
            Self::UnitStruct(name) => to.serialize_unit_struct(name),
            Self::UnitVariant((name, index, variant)) => {
                to.serialize_unit_variant(name, *index, variant)
            }
            Self::Newtype(name, it) => to.serialize_newtype_struct(name, it),
            Self::NewtypeVariant((name, index, variant), it) => {
                to.serialize_newtype_variant(name, *index, variant, it)
            }
            Self::Seq(items) => {
                let mut seq = to.serialize_seq(None)?;
                items.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Self::Tuple(items) => {
                let mut tuple = to.serialize_tuple(items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_element(item))?;
                tuple.end()
            }
            Self::TupleStruct(name, items) => {
                let mut tuple = to.serialize_tuple_struct(name, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Self::TupleVariant((name, index, variant), items) => {
                let mut tuple = to.serialize_tuple_variant(name, *index, variant, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Self::Map(entries) => {
                let mut map = to.serialize_map(None)?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Self::Struct(name, fields) => {
                let mut it = to.serialize_struct(name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| match value {
                    Some(value) => it.serialize_field(name, value),
                    None => it.skip_field(name),
                })?;
                it.end()
            }
            Self::StructVariant((name, index, variant), fields) => {
                let mut it = to.serialize_struct_variant(name, *index, variant, fields.len())?;
                fields.iter().try_for_each(|(name, value)| match value {
                    Some(value) => it.serialize_field(name, value),
                    None => it.skip_field(name),
                })?;
                it.end()
            }
        }
    }
}

impl Node {
    /// The same with the entries of maps in one order, which is not the encoder's.
    pub(super) fn sorted(self) -> Self {
        let each = |nodes: Vec<Self>| nodes.into_iter().map(Self::sorted).collect();
        let boxed = |node: Box<Self>| Box::new(node.sorted());
        let fields = |fields: Vec<(Name, Option<Self>)>| {
            fields.into_iter().map(|(name, value)| (name, value.map(Self::sorted))).collect()
        };
        match self {
            Self::Some(it) => Self::Some(boxed(it)),
            Self::Newtype(name, it) => Self::Newtype(name, boxed(it)),
            Self::NewtypeVariant(name, it) => Self::NewtypeVariant(name, boxed(it)),
            Self::Seq(items) => Self::Seq(each(items)),
            Self::Tuple(items) => Self::Tuple(each(items)),
            Self::TupleStruct(name, items) => Self::TupleStruct(name, each(items)),
            Self::TupleVariant(name, items) => Self::TupleVariant(name, each(items)),
            Self::Map(entries) => {
                let entries = entries.into_iter();
                let mut entries: Vec<_> =
                    entries.map(|(key, value)| (key.sorted(), value.sorted())).collect();
                entries.sort_by_cached_key(|entry| format!("{entry:?}"));
                Self::Map(entries)
            }
            Self::Struct(name, it) => Self::Struct(name, fields(it)),
            Self::StructVariant(name, it) => Self::StructVariant(name, fields(it)),
            other => other,
        }
    }

    /// The same with the entries of maps the other way round.
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Some(it) => Self::Some(Box::new(it.reversed())),
            Self::Seq(items) => Self::Seq(items.into_iter().map(Self::reversed).collect()),
            Self::Map(entries) => {
                let entries = entries.into_iter().rev();
                Self::Map(entries.map(|(key, value)| (key.reversed(), value.reversed())).collect())
            }
            other => other,
        }
    }
}

/// One is the beginning of the other, or looks like a length or a mark.
fn name() -> impl Strategy<Value = Name> {
    prop::sample::select(&[
        "",
        "a",
        "ab",
        "b",
        "=",
        ".",
        "..............................................",
        "s\u{1}",
    ])
}

fn variant() -> impl Strategy<Value = Variant> {
    (name(), 0..3_u32, name())
}

/// Few values of each kind, so that different values are often alike.
fn leaf() -> BoxedStrategy<Node> {
    let small = || prop_oneof![-1..2_i8, Just(46), Just(45)];
    let unsigned = || prop_oneof![0..3_u8, Just(46), Just(61)];
    prop_oneof![
        any::<bool>().prop_map(Node::Bool),
        small().prop_map(Node::I8),
        small().prop_map(|it| Node::I16(it.into())),
        small().prop_map(|it| Node::I32(it.into())),
        small().prop_map(|it| Node::I64(it.into())),
        prop_oneof![small().prop_map(i128::from), Just(i128::MIN), any::<i128>()]
            .prop_map(Node::I128),
        unsigned().prop_map(Node::U8),
        unsigned().prop_map(|it| Node::U16(it.into())),
        unsigned().prop_map(|it| Node::U32(it.into())),
        unsigned().prop_map(|it| Node::U64(it.into())),
        prop_oneof![unsigned().prop_map(u128::from), Just(u128::MAX), any::<u128>()]
            .prop_map(Node::U128),
        prop::sample::select(&[0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN][..])
            .prop_map(|it| Node::F32(it.to_bits())),
        prop::sample::select(&[0.0, -0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN][..])
            .prop_map(|it| Node::F64(it.to_bits())),
        prop::sample::select(&['a', '.', '\0'][..]).prop_map(Node::Char),
        "[a.=\u{0}\u{1}]{0,3}".prop_map(Node::Str),
        prop::collection::vec(0..3_u8, 0..3).prop_map(Node::Bytes),
        Just(Node::None),
        Just(Node::Unit),
        name().prop_map(Node::UnitStruct),
        variant().prop_map(Node::UnitVariant),
    ]
    .boxed()
}

pub(super) fn node() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..3);
        let fields = || prop::collection::vec((name(), prop::option::of(inner.clone())), 0..3);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(Node::Some),
            (name(), boxed()).prop_map(|(name, it)| Node::Newtype(name, it)),
            (variant(), boxed()).prop_map(|(name, it)| Node::NewtypeVariant(name, it)),
            items().prop_map(Node::Seq),
            items().prop_map(Node::Tuple),
            (name(), items()).prop_map(|(name, it)| Node::TupleStruct(name, it)),
            (variant(), items()).prop_map(|(name, it)| Node::TupleVariant(name, it)),
            prop::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(Node::Map),
            (name(), fields()).prop_map(|(name, it)| Node::Struct(name, it)),
            (variant(), fields()).prop_map(|(name, it)| Node::StructVariant(name, it)),
        ]
    })
}
