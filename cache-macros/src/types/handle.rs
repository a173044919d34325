//! Handles: types of parameters that connect a function to something and decide nothing about its
//! result.

use syn::{PathSegment, Type, TypePath};

use super::is_one_of;
use crate::syntax::{arguments, last_segment, peel};

/// Pools, connections and caches under names that are hardly ever given to data. What bears such a
/// name all the same is told by its type: the expansion asks the compiler about each of them.
const HANDLES: &[&str] = &[
    "AnyPool",
    "Cache",
    "ConnectionManager",
    "DatabaseConnection",
    "DbConn",
    "DbPool",
    "MultiplexedConnection",
    "MySqlPool",
    "PgPool",
    "Pool",
    "SqlitePool",
];

/// Names that are given to data, too: a client may be a customer. They count behind the name of
/// their crate only.
const HANDLES_OF_CRATES: &[(&str, &[&str])] = &[
    ("mongodb", &["Client", "Collection", "Database"]),
    ("redis", &["Client"]),
    ("reqwest", &["Client"]),
];

/// What a handle may be behind, besides references.
pub(super) const POINTERS: &[&str] = &["Arc", "Box", "Rc"];

/// What web frameworks hand the state of the program to a handler in.
const EXTRACTORS: &[&str] = &["Data", "Extension", "State"];

/// Whether a parameter of this type is a handle, as far as its name shows.
pub(crate) fn is_handle(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => is_handle(&reference.elem),
        Type::Path(path) => {
            let Some(segment) = path.path.segments.last() else { return false };
            let holder = is_one_of(segment, POINTERS) || is_one_of(segment, EXTRACTORS);
            if holder { holds_handle(segment) } else { is_known(path, segment) }
        }
        _ => false,
    }
}

/// Whether what a pattern takes out of this type is a handle: `pool` of `State(pool):
/// State<PgPool>`.
pub(crate) fn is_handle_inside(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| is_one_of(segment, EXTRACTORS) && holds_handle(segment))
}

/// Whether a parameter of this type has nothing that could differ: `()`, `PhantomData<T>`.
pub(crate) fn is_empty(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => is_empty(&reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_empty),
        ty => last_segment(ty).is_some_and(|segment| segment.ident == "PhantomData"),
    }
}

fn holds_handle(segment: &PathSegment) -> bool {
    arguments(segment).next().is_some_and(is_handle)
}

fn is_known(path: &TypePath, name: &PathSegment) -> bool {
    let before = path.path.segments.iter().rev().nth(1).map(|segment| segment.ident.to_string());
    // `S::Pool` is an associated type, which can be anything.
    let associated = before.as_ref().is_some_and(|it| it.starts_with(char::is_uppercase));
    let first = path.path.segments.first().map(|segment| &segment.ident);
    let of_crate = HANDLES_OF_CRATES.iter().any(|(krate, names)| {
        before.is_some() && first.is_some_and(|first| first == krate) && is_one_of(name, names)
    });
    path.qself.is_none() && !associated && (is_one_of(name, HANDLES) || of_crate)
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    #[test]
    fn handles() {
        for ty in [
            "&PgPool",
            "PgPool",
            "&sqlx::PgPool",
            "&Pool<Postgres>",
            "&deadpool_postgres::Pool",
            "Arc<MySqlPool>",
            "&Arc<Box<SqlitePool>>",
            "&mut redis::aio::ConnectionManager",
            "MultiplexedConnection",
            "&reqwest::Client",
            "redis::Client",
            "&mongodb::Collection<User>",
            "&DatabaseConnection",
            "&cache_runtime::Cache",
            "State<PgPool>",
            "web::Data<Arc<DbPool>>",
        ] {
            assert!(is_handle(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in [
            "&Ctx",
            "i64",
            "&Client",
            "models::Client",
            "crate::Database",
            "State<AppState>",
            "Option<PgPool>",
            "Vec<PgPool>",
            "(PgPool, i64)",
            "&dyn Repo",
            "impl Repo",
            "S::Pool",
            "<S as Storage>::Pool",
            "PoolOptions",
            "fn(&PgPool)",
            "[PgPool; 2]",
            "()",
        ] {
            assert!(!is_handle(&parse_str(ty).unwrap()), "{ty}");
        }
        for (ty, inside) in [("State<PgPool>", true), ("Arc<PgPool>", false), ("Pool", false)] {
            assert_eq!(is_handle_inside(&parse_str(ty).unwrap()), inside, "{ty}");
        }
    }

    #[test]
    fn nothing() {
        for (ty, empty) in [
            ("()", true),
            ("&()", true),
            ("PhantomData<T>", true),
            ("((), std::marker::PhantomData<fn()>)", true),
            ("((), u8)", false),
            ("&Ctx", false),
        ] {
            assert_eq!(is_empty(&parse_str(ty).unwrap()), empty, "{ty}");
        }
    }
}
