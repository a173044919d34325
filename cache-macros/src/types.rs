//! What a type tells by its spelling. A macro sees no more of it than that.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, Lifetime, Path, PathArguments, PathSegment, Token, Type, TypeInfer,
    TypeParamBound, TypeReference,
};

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

/// The last name of a path, with its arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The type's one name without arguments, if it is that.
pub(crate) fn as_ident(ty: &Type) -> Option<&Ident> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// The types in angle brackets.
pub(crate) fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Without parentheses and invisible groups.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => peel(&inner.elem),
        Type::Group(inner) => peel(&inner.elem),
        other => other,
    }
}

fn is_one_of(segment: &PathSegment, names: &[&str]) -> bool {
    names.iter().any(|name| segment.ident == name)
}

fn holds_data(segment: &PathSegment) -> bool {
    arguments(segment).any(is_data)
}

/// Every name in `tokens` but those of fields and methods.
pub(crate) fn idents(tokens: TokenStream) -> Vec<Ident> {
    let mut names = Vec::new();
    // `a.name` is a field, `a..name` is not.
    let mut dots = 0;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '.' => dots += 1,
            TokenTree::Ident(ident) if dots != 1 => {
                names.push(ident);
                dots = 0;
            }
            TokenTree::Group(group) => {
                names.extend(idents(group.stream()));
                dots = 0;
            }
            _ => dots = 0,
        }
    }
    names
}

/// Whether `name` is used in `syntax`.
pub(crate) fn mentions(syntax: &impl ToTokens, name: &str) -> bool {
    mention(syntax, name).is_some()
}

/// The first use of `name` in `syntax`.
pub(crate) fn mention(syntax: &impl ToTokens, name: &str) -> Option<Ident> {
    idents(syntax.to_token_stream()).into_iter().find(|ident| ident.unraw() == name)
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

/// The type without what cannot stand in a `let`: `impl Trait` becomes `_`.
pub(crate) fn without_impl(ty: &Type) -> Type {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                *ty = Type::Infer(TypeInfer {
                    attrs: Vec::new(),
                    underscore_token: <Token![_]>::default(),
                });
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut ty = ty.clone();
    Erase.visit_type_mut(&mut ty);
    ty
}

/// The type with the function's own lifetimes elided.
pub(crate) fn without_lifetimes(ty: &Type, declared: &[&Ident]) -> Type {
    struct Elide<'a>(&'a [&'a Ident]);
    impl VisitMut for Elide<'_> {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.as_ref().is_some_and(|it| self.0.contains(&&it.ident)) {
                reference.lifetime = None;
            }
            visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if self.0.contains(&&lifetime.ident) {
                *lifetime = Lifetime::new("'_", lifetime.span());
            }
        }
    }
    let mut ty = ty.clone();
    Elide(declared).visit_type_mut(&mut ty);
    ty
}
