//! How a parameter of a type gets into a key.

use syn::{Type, TypeParamBound};

use super::{is_data, is_data_bound, is_one_of};
use crate::syntax::{arguments, last_segment, peel};

/// What of a parameter can be in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mend {
    /// All of it: `<id>`.
    Whole,
    /// This element of a tuple: `<pair.1>`.
    Element(usize),
    /// A hash of it: `<filter:hash>`.
    Hash,
    /// What it shows of itself: `<day:display>`.
    Display,
    /// Fields of it, or a hash: `<ctx.tenant>`, `<ctx:hash>`.
    Fields,
    /// Nothing: a closure, an iterator, a trait object.
    Nothing,
}

/// Data without one spelling that could be a part of a key.
const HASHED: &[&str] =
    &["BTreeMap", "HashMap", "IndexMap", "IndexSet", "Path", "PathBuf", "f32", "f64"];

/// Types of other crates that can be part of a key with a feature, and have `Display` without one.
const DISPLAYED: &[&str] = &[
    "Date",
    "DateTime",
    "Decimal",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "OffsetDateTime",
    "PrimitiveDateTime",
    "Time",
    "Ulid",
    "Url",
    "UtcDateTime",
    "Uuid",
];

/// Types that are what they hold.
const TRANSPARENT: &[&str] = &["Arc", "Box", "Cow", "Option", "Rc"];

/// The mend for a parameter of type `ty`. `bounds` are those of a type parameter, if it is one.
pub(crate) fn mend(ty: &Type, bounds: Option<&[&TypeParamBound]>) -> Mend {
    match peel(ty) {
        Type::Reference(reference) => mend(&reference.elem, bounds),
        Type::Tuple(tuple) if tuple.elems.iter().all(is_data) => Mend::Whole,
        Type::Tuple(tuple) => {
            tuple.elems.iter().position(is_data).map_or(Mend::Hash, Mend::Element)
        }
        Type::Slice(slice) => of_elements(&slice.elem),
        Type::Array(array) => of_elements(&array.elem),
        Type::ImplTrait(it) => of_bounds(it.bounds.iter()),
        Type::Path(_) if bounds.is_some() => of_bounds(bounds.into_iter().flatten().copied()),
        ty => {
            let Some(segment) = last_segment(ty) else { return Mend::Nothing };
            let held = arguments(segment).next().filter(|_| is_one_of(segment, TRANSPARENT));
            match held.map(|held| mend(held, None)) {
                Some(Mend::Element(_) | Mend::Fields) => Mend::Hash,
                // An `Option` shows nothing of itself, but what it holds can be part of a key.
                Some(Mend::Display) => Mend::Whole,
                Some(mend) => mend,
                None if is_one_of(segment, HASHED) => Mend::Hash,
                None if is_one_of(segment, DISPLAYED) => Mend::Display,
                None if is_data(ty) => Mend::Whole,
                None if segment.ident == "HashSet" => {
                    arguments(segment).next().map_or(Mend::Hash, of_elements)
                }
                None if segment.ident == "Vec" => Mend::Hash,
                None => Mend::Fields,
            }
        }
    }
}

fn of_elements(ty: &Type) -> Mend {
    match mend(ty, None) {
        Mend::Whole | Mend::Display => Mend::Whole,
        Mend::Nothing => Mend::Nothing,
        Mend::Element(_) | Mend::Hash | Mend::Fields => Mend::Hash,
    }
}

fn of_bounds<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound> + Clone) -> Mend {
    if bounds.clone().any(is_data_bound) {
        Mend::Whole
    } else if bounds.any(is_serialize) {
        Mend::Hash
    } else {
        Mend::Nothing
    }
}

fn is_serialize(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|segment| segment.ident == "Serialize")
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn mends() {
        for (ty, expected) in [
            ("i64", Mend::Whole),
            ("&str", Mend::Whole),
            ("Option<Arc<str>>", Mend::Whole),
            ("&[Uuid]", Mend::Whole),
            ("Vec<i64>", Mend::Whole),
            ("(i64, String)", Mend::Whole),
            ("impl KeyPart", Mend::Whole),
            ("&(impl Into<String> + Send)", Mend::Whole),
            ("(PgPool, i64)", Mend::Element(1)),
            ("f64", Mend::Hash),
            ("&Path", Mend::Hash),
            ("Duration", Mend::Whole),
            ("DateTime<Utc>", Mend::Display),
            ("Option<NaiveDate>", Mend::Whole),
            ("&[Ulid]", Mend::Whole),
            ("HashMap<String, i64>", Mend::Hash),
            ("&HashSet<i64>", Mend::Whole),
            ("HashSet<Filter>", Mend::Hash),
            ("Vec<Filter>", Mend::Hash),
            ("&[Filter]", Mend::Hash),
            ("Option<Filter>", Mend::Hash),
            ("impl Serialize", Mend::Hash),
            ("&Ctx", Mend::Fields),
            ("Query<Filter>", Mend::Fields),
            ("Kind", Mend::Fields),
            ("impl Iterator<Item = i64>", Mend::Nothing),
            ("&dyn Repo", Mend::Nothing),
            ("Box<dyn Fn(i64) -> i64>", Mend::Nothing),
            ("fn(i64) -> i64", Mend::Nothing),
        ] {
            assert_eq!(mend(&parse_str(ty).unwrap(), None), expected, "{ty}");
        }
        let bound = parse_str("KeyPart").unwrap();
        let ty = parse_str("&T").unwrap();
        assert_eq!(mend(&ty, Some(&[&bound])), Mend::Whole);
        assert_eq!(mend(&ty, Some(&[])), Mend::Nothing);
    }
}
