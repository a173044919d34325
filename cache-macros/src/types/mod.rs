//! What the spelling of a type says about it, which is all that a macro sees.

mod borrows;
mod data;
mod output;

use quote::ToTokens as _;
use syn::{PathSegment, Type};

pub(crate) use self::borrows::{borrows, may_end, referent};
pub(crate) use self::data::{
    holds_data_somewhere, holds_no_ids, is_data, is_data_bound, is_one, kind,
};
pub(crate) use self::output::{boxed_output, error, is_plain, of_each, spells_result, stored};
use crate::syntax::{arguments, idents, last_segment, peel};

/// Whether a value of this type is, or may be inside, an open transaction.
pub(crate) fn is_transaction(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => {
            let connection = last_segment(&reference.elem)
                .is_some_and(|segment| segment.ident.to_string().ends_with("Connection"));
            (reference.mutability.is_some() && connection) || is_transaction(&reference.elem)
        }
        Type::Tuple(tuple) => tuple.elems.iter().any(is_transaction),
        other => last_segment(other).is_some_and(|segment| {
            segment.ident.to_string().ends_with("Transaction")
                || arguments(segment).any(is_transaction)
        }),
    }
}

/// `impl Trait` in any place: a type that cannot be named.
pub(crate) fn is_opaque(ty: &Type) -> bool {
    idents(ty.to_token_stream()).iter().any(|ident| ident == "impl")
}

fn is_one_of(segment: &PathSegment, names: &[&str]) -> bool {
    names.iter().any(|name| segment.ident == name)
}

/// `dyn Trait`, which cannot be cloned.
pub(crate) fn is_object(ty: &Type) -> bool {
    matches!(peel(ty), Type::TraitObject(_))
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn transactions() {
        for ty in [
            "Transaction<'_, Postgres>",
            "&mut sqlx::Transaction<'_, Postgres>",
            "&DatabaseTransaction",
            "&mut PgConnection",
            "Option<&mut SqliteConnection>",
            "&mut PoolConnection<Postgres>",
            "Arc<Mutex<Transaction<'static, Sqlite>>>",
        ] {
            assert!(is_transaction(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in
            ["&PgPool", "&PgConnection", "TransactionId", "&mut Vec<i64>", "&DatabaseConnection"]
        {
            assert!(!is_transaction(&parse_str(ty).unwrap()), "{ty}");
        }
    }
}
