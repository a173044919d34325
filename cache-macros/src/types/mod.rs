//! What the spelling of a type says about it, which is all that a macro sees.

mod borrows;
mod data;
mod handle;
mod mend;
mod output;
mod transaction;

use quote::ToTokens as _;
use syn::{PathSegment, Type};

pub(crate) use self::borrows::{borrows, may_end, referent, with_static};
pub(crate) use self::data::{
    holds_data_somewhere, holds_no_ids, is_data, is_data_bound, is_one, kind,
};
pub(crate) use self::handle::{is_empty, is_handle, is_handle_inside};
pub(crate) use self::mend::{Mend, mend};
pub(crate) use self::output::{boxed_output, error, is_plain, of_each, spells_result, stored};
pub(crate) use self::transaction::{Open, is_lent, open};
use crate::syntax::{arguments, idents, last_segment, mentions, peel};

/// `impl Trait` in any place: a type that cannot be named.
pub(crate) fn is_opaque(ty: &Type) -> bool {
    idents(ty.to_token_stream()).iter().any(|ident| ident == "impl")
}

/// Types of which a key shows what they hold, and nothing else.
const TRANSPARENT: &[&str] = &[
    "Option", "Vec", "VecDeque", "Box", "Arc", "Rc", "Cow", "BTreeSet", "HashSet", "Reverse",
    "Wrapping",
];

/// Whether `name` is an argument of the type, as in `Id<T>`: what a key shows of a value may be the
/// same for all of them.
pub(crate) fn is_marked_by(ty: &Type, name: &str) -> bool {
    match peel(ty) {
        Type::Reference(reference) => is_marked_by(&reference.elem, name),
        Type::Slice(slice) => is_marked_by(&slice.elem, name),
        Type::Array(array) => is_marked_by(&array.elem, name),
        Type::Tuple(tuple) => tuple.elems.iter().any(|ty| is_marked_by(ty, name)),
        other => last_segment(other).is_some_and(|segment| {
            if is_one_of(segment, TRANSPARENT) {
                arguments(segment).any(|ty| is_marked_by(ty, name))
            } else {
                arguments(segment).any(|ty| mentions(ty, name))
            }
        }),
    }
}

fn is_one_of(segment: &PathSegment, names: &[&str]) -> bool {
    names.iter().any(|name| segment.ident == name)
}

/// `dyn Trait`, which cannot be cloned.
pub(crate) fn is_object(ty: &Type) -> bool {
    matches!(peel(ty), Type::TraitObject(_))
}
