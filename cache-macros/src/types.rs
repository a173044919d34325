//! What a type tells by its spelling. A macro sees no more of it than that.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{GenericArgument, Path, PathArguments, PathSegment, Type, TypeParamBound, TypeReference};

use crate::syntax::{arguments, idents, last_segment, peel};

/// Types of values that tell one call from another: an id, a name, a page number.
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
    "NaiveDate",
    "NaiveDateTime",
    "OffsetDateTime",
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

/// What the text of such a value is in a key: `int`, `bool`, `hex`, or `any`.
pub(crate) fn kind(ty: &Type) -> &'static str {
    if let Type::Reference(reference) = peel(ty) {
        return kind(&reference.elem);
    }
    let name = last_segment(ty).map(|segment| segment.ident.to_string()).unwrap_or_default();
    match name.as_str() {
        "bool" => "bool",
        "Uuid" => "hex",
        "isize" | "usize" => "int",
        name if name.starts_with("NonZero") => "int",
        name if name.strip_prefix(['i', 'u']).is_some_and(|bits| bits.parse::<u8>().is_ok()) => {
            "int"
        }
        _ => "any",
    }
}

/// Whether `impl Bound` is data: `impl Into<String>`.
pub(crate) fn is_data_bound(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    bound.path.segments.last().is_some_and(|segment| {
        segment.ident == "ToString" || (is_one_of(segment, CONVERSIONS) && holds_data(segment))
    })
}

/// Whether data is bound by a pattern over this type, as in `Path(id): Path<i64>`.
pub(crate) fn holds_data_somewhere(ty: &Type) -> bool {
    is_data(ty)
        || last_segment(ty).is_some_and(|segment| arguments(segment).any(holds_data_somewhere))
}

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

/// `Box` and `R` of `Pin<Box<dyn Future<Output = R> + ..>>`, which `#[async_trait]` makes of an
/// `async fn`.
pub(crate) fn boxed_output(ty: &Type) -> Option<(Path, &Type)> {
    let boxed = argument_of(ty, "Pin")?;
    let Type::TraitObject(object) = argument_of(boxed, "Box")? else {
        return None;
    };
    let output = object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments
        else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })?;
    let Type::Path(boxed) = peel(boxed) else {
        return None;
    };
    let mut boxed = boxed.path.clone();
    boxed.segments.last_mut()?.arguments = PathArguments::None;
    Some((boxed, output))
}

/// `A` of `name<A>`.
fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    arguments(segment).next()
}

fn is_one_of(segment: &PathSegment, names: &[&str]) -> bool {
    names.iter().any(|name| segment.ident == name)
}

fn holds_data(segment: &PathSegment) -> bool {
    arguments(segment).any(is_data)
}

/// Whether it holds a reference or a lifetime other than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    fn in_tokens(tokens: TokenStream) -> bool {
        let mut lifetime = false;
        tokens.into_iter().any(|token| match token {
            TokenTree::Punct(punct) => {
                lifetime = punct.as_char() == '\'';
                punct.as_char() == '&'
            }
            TokenTree::Ident(ident) => std::mem::take(&mut lifetime) && ident != "static",
            TokenTree::Group(group) => in_tokens(group.stream()),
            TokenTree::Literal(_) => false,
        })
    }
    in_tokens(ty.to_token_stream())
}

/// Whether it may hold a reference that does not live for ever.
pub(crate) fn may_end(ty: &Type) -> bool {
    fn in_tokens(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let next_is_lifetime =
                |next: &TokenTree| matches!(next, TokenTree::Punct(it) if it.as_char() == '\'');
            let ends = match token {
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    tokens.next().is_some_and(|name| name.to_string() != "static")
                }
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    !tokens.peek().is_some_and(next_is_lifetime)
                }
                TokenTree::Group(group) => in_tokens(group.stream()),
                _ => false,
            };
            if ends {
                return true;
            }
        }
        false
    }
    in_tokens(ty.to_token_stream())
}

/// What `ty` refers to, if it is a shared reference that may not live for ever: `T` of `&T`.
pub(crate) fn referent(ty: &Type) -> Option<&Type> {
    match peel(ty) {
        Type::Reference(reference) if reference.mutability.is_none() && !is_static(reference) => {
            Some(&*reference.elem)
        }
        _ => None,
    }
}

fn is_static(reference: &TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|it| it.ident == "static")
}

/// `dyn Trait`, which cannot be cloned.
pub(crate) fn is_object(ty: &Type) -> bool {
    matches!(peel(ty), Type::TraitObject(_))
}

/// Whether the last name is, or ends in, `Result`, and has arguments: `sqlx::Result<T>`.
pub(crate) fn spells_result(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| {
        segment.ident.to_string().ends_with("Result") && arguments(segment).next().is_some()
    })
}

/// What is stored, as far as the spelling tells: `T` of `Result<T, ..>`, else all of it.
pub(crate) fn stored(ty: &Type) -> &Type {
    let segment = last_segment(ty).filter(|_| spells_result(ty));
    segment.and_then(|segment| arguments(segment).next()).unwrap_or(ty)
}

/// `E` of `Result<T, E>`, as far as the spelling tells.
pub(crate) fn error(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|_| spells_result(ty))?;
    arguments(segment).nth(1)
}

/// `V` of `HashMap<Id, V>`, `BTreeMap<Id, V>` or `Vec<(Id, V)>`.
pub(crate) fn of_each(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    if is_one_of(segment, &["HashMap", "BTreeMap"]) {
        return arguments(segment).nth(1);
    }
    match peel(argument_of(ty, "Vec")?) {
        Type::Tuple(pair) if pair.elems.len() == 2 => pair.elems.last(),
        _ => None,
    }
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

    #[test]
    fn borrowed_values() {
        for ty in ["&str", "&'static str", "Cow<'_, str>", "Vec<&'a User>", "(User, &User)"] {
            assert!(borrows(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in ["String", "Cow<'static, str>", "Vec<User>"] {
            assert!(!borrows(&parse_str(ty).unwrap()), "{ty}");
        }
    }

    #[test]
    fn what_a_worker_can_keep() {
        for ty in ["&str", "Cow<'_, str>", "Vec<&'a User>", "(User, &User)", "&&'static str"] {
            assert!(may_end(&parse_str(ty).unwrap()), "{ty}");
        }
        for ty in ["String", "Cow<'static, str>", "Vec<&'static User>", "&'static str"] {
            assert!(!may_end(&parse_str(ty).unwrap()), "{ty}");
        }
        for (ty, referred) in [("&Pool", Some("Pool")), ("&'a Pool", Some("Pool")), ("Pool", None)]
        {
            let ty = parse_str(ty).unwrap();
            let text = referent(&ty).map(|ty| ty.to_token_stream().to_string());
            assert_eq!(text.as_deref(), referred);
        }
        assert!(referent(&parse_str("&'static str").unwrap()).is_none());
        assert!(referent(&parse_str("&mut Pool").unwrap()).is_none());
    }

    #[test]
    fn results_by_spelling() {
        for (ty, value) in [
            ("Result<User, Error>", "User"),
            ("sqlx::Result<Vec<User>>", "Vec < User >"),
            ("AppResult<User>", "User"),
            ("SearchResult", "SearchResult"),
            ("Option<User>", "Option < User >"),
        ] {
            let ty = parse_str(ty).unwrap();
            assert_eq!(stored(&ty).to_token_stream().to_string(), value);
        }
    }

    #[test]
    fn boxed_futures() {
        let ty = "::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<User, E>> + Send + 'a>>";
        let ty = parse_str(ty).unwrap();
        let (boxed, output) = boxed_output(&ty).unwrap();
        assert_eq!(boxed.to_token_stream().to_string(), "Box");
        assert_eq!(output.to_token_stream().to_string(), "Result < User , E >");
        for ty in ["Box<dyn Future<Output = i64>>", "Pin<Box<User>>", "impl Future<Output = i64>"] {
            assert!(boxed_output(&parse_str(ty).unwrap()).is_none(), "{ty}");
        }
    }
}
