//! Types of parameters that are, or may be, an open transaction.

use quote::ToTokens as _;
use syn::{Type, TypeParamBound};

use super::handle::POINTERS;
use super::is_one_of;
use crate::syntax::{arguments, idents, last_segment, peel};

/// How a parameter may be inside an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// It bears the name of one.
    Transaction,
    /// It is lent a connection to itself, in which one may have been begun.
    Connection,
    /// Its type is left to the caller, who can pass a transaction as well as a pool.
    Either,
}

/// Traits that pools and connections implement and transactions, too, besides those that end in
/// `Executor` or `Connection`: sqlx, sea-orm, tokio-postgres, diesel.
const SHARED_TRAITS: &[&str] =
    &["Acquire", "ConnectionTrait", "GenericClient", "StreamTrait", "TransactionTrait"];

/// Traits that lend what they are given as an argument: `impl AsMut<PgConnection>`.
const LENDING_TRAITS: &[&str] = &["AsMut", "BorrowMut", "Deref", "DerefMut"];

/// Whether a value of this type is, or may be inside, an open transaction. `bounds` are those of a
/// type parameter.
pub(crate) fn open<'a>(
    ty: &Type,
    bounds: &dyn Fn(&Type) -> Vec<&'a TypeParamBound>,
) -> Option<Open> {
    match peel(ty) {
        Type::Reference(reference) => {
            let lent = reference.mutability.is_some()
                && last_segment(&reference.elem).is_some_and(|it| is_connection(&it.ident));
            if lent { Some(Open::Connection) } else { open(&reference.elem, bounds) }
        }
        Type::Tuple(tuple) => tuple.elems.iter().find_map(|ty| open(ty, bounds)),
        Type::ImplTrait(it) => it.bounds.iter().any(is_shared).then_some(Open::Either),
        Type::TraitObject(it) => it.bounds.iter().any(is_shared).then_some(Open::Either),
        ty => {
            let segment = last_segment(ty)?;
            if is_transaction(&segment.ident) {
                return Some(Open::Transaction);
            }
            // An enum of sea-orm.
            if segment.ident == "DatabaseExecutor" || bounds(ty).into_iter().any(is_shared) {
                return Some(Open::Either);
            }
            arguments(segment).find_map(|ty| open(ty, bounds))
        }
    }
}

/// Whether a value of this type is one connection, or whatever the caller passes for one, and
/// nothing besides.
pub(crate) fn is_lent<'a>(ty: &Type, bounds: &dyn Fn(&Type) -> Vec<&'a TypeParamBound>) -> bool {
    match peel(ty) {
        Type::Reference(reference) => {
            open(ty, bounds) == Some(Open::Connection) || is_lent(&reference.elem, bounds)
        }
        Type::ImplTrait(_) | Type::TraitObject(_) => open(ty, bounds).is_some(),
        ty => last_segment(ty).is_some_and(|segment| {
            let mut held = arguments(segment);
            let held = held.next().filter(|_| is_one_of(segment, POINTERS));
            let either = segment.arguments.is_none() || segment.ident == "DatabaseExecutor";
            held.map_or_else(
                || either && open(ty, bounds) == Some(Open::Either),
                |held| is_lent(held, bounds),
            )
        }),
    }
}

fn is_transaction(name: &syn::Ident) -> bool {
    name == "Tx" || name == "Txn" || name.to_string().ends_with("Transaction")
}

fn is_connection(name: &syn::Ident) -> bool {
    name.to_string().ends_with("Connection")
}

/// Whether a transaction implements this trait as well as a pool does.
fn is_shared(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|segment| {
        let lends = || {
            let names = idents(segment.arguments.to_token_stream());
            names.iter().any(|name| is_connection(name) || is_transaction(name))
        };
        is_one_of(segment, SHARED_TRAITS)
            || segment.ident.to_string().ends_with("Executor")
            || is_connection(&segment.ident)
            || (is_one_of(segment, LENDING_TRAITS) && lends())
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    fn of(ty: &str) -> Option<Open> {
        open(&parse_str(ty).unwrap(), &|_| Vec::new())
    }

    #[test]
    fn open_transactions() {
        for ty in [
            "Transaction<'_, Postgres>",
            "&mut sqlx::Transaction<'_, Postgres>",
            "&DatabaseTransaction",
            "Arc<Mutex<Transaction<'static, Sqlite>>>",
            "&mut Tx",
            "(i64, &mut Txn)",
        ] {
            assert_eq!(of(ty), Some(Open::Transaction), "{ty}");
        }
        for ty in [
            "&mut PgConnection",
            "Option<&mut SqliteConnection>",
            "&mut PoolConnection<Postgres>",
            "&mut AsyncPgConnection",
        ] {
            assert_eq!(of(ty), Some(Open::Connection), "{ty}");
        }
        for ty in [
            "impl Executor<'_, Database = Postgres>",
            "impl for<'e> sqlx::Executor<'e> + Copy",
            "impl PgExecutor<'_>",
            "impl Acquire<'_, Database = Sqlite>",
            "&impl ConnectionTrait",
            "&dyn GenericClient",
            "&(dyn ConnectionTrait + Send)",
            "Arc<dyn TransactionTrait>",
            "&mut impl AsyncConnection<Backend = Pg>",
            "&mut impl diesel::Connection",
            "impl DerefMut<Target = PgConnection>",
            "&mut impl AsMut<sqlx::PgConnection>",
            "DatabaseExecutor<'_>",
        ] {
            assert_eq!(of(ty), Some(Open::Either), "{ty}");
        }
        for ty in [
            "&PgPool",
            "&PgConnection",
            "TransactionId",
            "&mut Vec<i64>",
            "&DatabaseConnection",
            "Pool<ConnectionManager<PgConnection>>",
            "impl Into<String>",
            "impl Fn(i64) -> i64",
            "&dyn Repo",
            "&mut ConnectionInfo",
        ] {
            assert_eq!(of(ty), None, "{ty}");
        }
    }

    #[test]
    fn type_parameters_are_what_their_bounds_say() {
        let bound: TypeParamBound = parse_str("SqliteExecutor<'e>").unwrap();
        let bounds = |ty: &Type| {
            let named = crate::syntax::as_ident(ty).is_some_and(|name| name == "E");
            if named { vec![&bound] } else { Vec::new() }
        };
        for (ty, expected) in [
            ("E", Some(Open::Either)),
            ("&mut E", Some(Open::Either)),
            ("Option<&E>", Some(Open::Either)),
            ("F", None),
        ] {
            assert_eq!(open(&parse_str(ty).unwrap(), &bounds), expected, "{ty}");
        }
        for (ty, lent) in [("&mut E", true), ("Arc<E>", true), ("F", false), ("Ctx<E>", false)] {
            assert_eq!(is_lent(&parse_str(ty).unwrap(), &bounds), lent, "{ty}");
        }
    }

    #[test]
    fn one_connection_and_nothing_besides() {
        for (ty, lent) in [
            ("&mut AsyncPgConnection", true),
            ("&impl ConnectionTrait", true),
            ("Arc<dyn ConnectionTrait>", true),
            ("&mut &mut PgConnection", true),
            ("DatabaseExecutor<'_>", true),
            ("(&mut PgConnection, i64)", false),
            ("Option<&mut PgConnection>", false),
            ("&NewTransaction", false),
            ("Transaction<'_, Postgres>", false),
            ("Ctx<Transaction>", false),
            ("i64", false),
        ] {
            assert_eq!(is_lent(&parse_str(ty).unwrap(), &|_| Vec::new()), lent, "{ty}");
        }
    }
}
