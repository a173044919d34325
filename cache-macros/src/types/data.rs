//! Types of data that distinguish one call from another: an id, a name, a page number.

use syn::{PathSegment, Type, TypeParamBound};

use super::is_one_of;
use crate::syntax::{arguments, last_segment, peel};

/// Those that are one piece of data.
const DATA: &[&str] = &[
    "bool",
    "char",
    "str",
    "String",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "Uuid",
    "Ulid",
    "Decimal",
    "Date",
    "DateTime",
    "Duration",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "OffsetDateTime",
    "PrimitiveDateTime",
    "TimeDelta",
    "Url",
    "UtcDateTime",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
];

/// Types that are data if what they hold is.
const HOLDERS: &[&str] = &[
    "Option", "Vec", "VecDeque", "Box", "Arc", "Rc", "Cow", "BTreeSet", "HashSet", "Reverse",
    "Wrapping",
];

/// Traits whose `impl` arguments are data if what they convert to is.
const CONVERSIONS: &[&str] = &["Into", "AsRef", "Borrow"];

/// Whether a parameter of this type tells one call from another.
pub(crate) fn is_data(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => is_data(&reference.elem),
        Type::Slice(slice) => is_data(&slice.elem),
        Type::Array(array) => is_data(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(is_data),
        Type::ImplTrait(it) => it.bounds.iter().any(is_data_bound),
        other => last_segment(other).is_some_and(|segment| {
            let name = segment.ident.to_string();
            is_one_of(segment, DATA)
                || name.starts_with("NonZero")
                // `UserId`: a newtype, nearly always.
                || (name.len() > 2 && name.ends_with("Id"))
                || (is_one_of(segment, HOLDERS) && holds_data(segment))
        }),
    }
}

/// Whether a value of this type is one piece of data, and no collection.
pub(crate) fn is_one(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => is_one(&reference.elem),
        other => last_segment(other).is_some_and(|segment| is_one_of(segment, DATA)),
    }
}

/// Collections of something else than ids, or in an order that does not matter to them.
const NO_IDS: &[&str] = &["BTreeMap", "BinaryHeap", "HashMap", "LinkedList", "Option", "VecDeque"];

/// Whether a value of this type is certain to be no collection that a batch can take.
pub(crate) fn holds_no_ids(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => holds_no_ids(&reference.elem),
        other => last_segment(other).is_some_and(|segment| is_one_of(segment, NO_IDS)),
    }
}

/// What the text of such a value is in a key: `int`, `wide` (an integer of 128 bits), `bool`,
/// `uuid`, or `any`.
pub(crate) fn kind(ty: &Type) -> &'static str {
    if let Type::Reference(reference) = peel(ty) {
        return kind(&reference.elem);
    }
    let name = last_segment(ty).map(|segment| segment.ident.to_string()).unwrap_or_default();
    match name.as_str() {
        "bool" => "bool",
        "Uuid" => "uuid",
        "isize" | "usize" => "int",
        // `NonZero` is of any width.
        "i128" | "u128" | "NonZeroI128" | "NonZeroU128" | "NonZero" => "wide",
        name if name.starts_with("NonZero") => "int",
        name if name.strip_prefix(['i', 'u']).is_some_and(|bits| bits.parse::<u8>().is_ok()) => {
            "int"
        }
        _ => "any",
    }
}

/// Whether `impl Bound` is data: `impl Into<String>`, `impl KeyPart`.
pub(crate) fn is_data_bound(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    bound.path.segments.last().is_some_and(|segment| {
        is_one_of(segment, &["KeyPart", "ToString"])
            || (is_one_of(segment, CONVERSIONS) && holds_data(segment))
    })
}

/// Whether data is bound by a pattern over this type, as in `Path(id): Path<i64>`.
pub(crate) fn holds_data_somewhere(ty: &Type) -> bool {
    is_data(ty)
        || last_segment(ty).is_some_and(|segment| arguments(segment).any(holds_data_somewhere))
}

fn holds_data(segment: &PathSegment) -> bool {
    arguments(segment).any(is_data)
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn data() {
        for ty in [
            "i64",
            "&str",
            "String",
            "Option<u8>",
            "&[Uuid]",
            "[u8; 16]",
            "Vec<Option<String>>",
            "Cow<'_, str>",
            "NonZeroU32",
            "std::string::String",
            "Arc<str>",
            "(PgPool, i64)",
            "impl Into<String>",
            "&mut i64",
            "impl AsRef<str> + Send",
            "impl KeyPart",
            "UserId",
            "chrono::DateTime<Utc>",
            "(bool)",
        ] {
            assert!(is_data(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in [
            "&PgPool",
            "Filter",
            "()",
            "impl Executor<'_>",
            "Arc<State>",
            "Path<i64>",
            "&dyn Repo",
            "Box<dyn Fn(i64) -> i64>",
            "fn(i64)",
            "T",
            "Id",
        ] {
            assert!(!is_data(&parse_str(ty).unwrap()), "{ty}");
        }
        for (ty, one) in [("i64", true), ("&str", true), ("&[i64]", false), ("Vec<Uuid>", false)] {
            assert_eq!(is_one(&parse_str(ty).unwrap()), one, "{ty}");
        }
        assert!(holds_data_somewhere(&parse_str("Path<(i64, String)>").unwrap()));
        assert!(!holds_data_somewhere(&parse_str("State<PgPool>").unwrap()));
    }
}
