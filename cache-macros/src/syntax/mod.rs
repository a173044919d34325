//! Helpers that inspect and transform syntax, whatever it means.

mod names;

use proc_macro2::Ident;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, GenericArgument, Lifetime, PathArguments, PathSegment, Receiver, ReceiverKind, Token,
    Type, TypeInfer, TypeReference, parse_quote_spanned,
};

pub(crate) use self::names::{
    begins_with_item, binds, fields_of, idents, mention, mentions, mentions_self, uses, variable,
    variables,
};

/// Without the invisible group around what a `macro_rules!` was given as `$name:expr` or
/// `$name:literal`.
///
/// An expression that needs the group, as `a + b` does in `&$sum`, keeps it.
pub(crate) fn ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) if binds_tightly(&group.expr) => ungrouped(*group.expr),
        expr => expr,
    }
}

fn binds_tightly(expr: &Expr) -> bool {
    match expr {
        Expr::Group(group) => binds_tightly(&group.expr),
        Expr::Array(_)
        | Expr::Call(_)
        | Expr::Closure(_)
        | Expr::Field(_)
        | Expr::Lit(_)
        | Expr::MethodCall(_)
        | Expr::Path(_)
        | Expr::Unary(_) => true,
        _ => false,
    }
}

/// Without parentheses and invisible groups.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => peel(&inner.elem),
        Type::Group(inner) => peel(&inner.elem),
        other => other,
    }
}

/// The type of `self`: `&Self` of `&self`.
pub(crate) fn receiver_type(receiver: &Receiver) -> Type {
    match &receiver.kind {
        ReceiverKind::Reference(and, lifetime, mutability) => {
            let this = Ident::new("Self", receiver.self_token.span);
            parse_quote_spanned!(and.span=> & #lifetime #mutability #this)
        }
        ReceiverKind::Typed(_, ty) => (**ty).clone(),
        _ => parse_quote_spanned!(receiver.self_token.span=> Self),
    }
}

/// The last name of a path, with its arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The type's name, if it is a single name without arguments.
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

/// The type as a `let` can have it: `impl Trait` becomes `_`.
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

#[cfg(test)]
mod tests {
    use quote::{ToTokens as _, quote};
    use syn::parse_quote;

    use super::*;

    #[test]
    fn impl_is_erased() {
        let ty = without_impl(&parse_quote!(Result<impl IntoResponse + 'a, (impl Debug, E)>));
        assert_eq!(ty.to_token_stream().to_string(), "Result < _ , (_ , E) >");
    }

    #[test]
    fn only_the_given_lifetimes_are_elided() {
        let a: Ident = parse_quote!(a);
        let ty = without_lifetimes(&parse_quote!(&'a [Cow<'a, &'b str>]), &[&a]);
        assert_eq!(ty.to_token_stream().to_string(), quote!(&[Cow<'_, &'b str>]).to_string());
    }
}
