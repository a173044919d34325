//! Looking into syntax and changing it; what it means is no matter here.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprPath, GenericArgument, Lifetime, Macro, PathArguments, PathSegment, Receiver,
    ReceiverKind, Token, Type, TypeInfer, TypeReference, parse_quote_spanned,
};

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

/// Whether a body uses the `Self` that is around it: in an item inside of it, `Self` is that item's own.
pub(crate) fn mentions_self(body: &TokenStream) -> bool {
    let mut in_item = false;
    body.clone().into_iter().any(|token| {
        match token {
            TokenTree::Ident(word) if ITEMS_WITH_SELF.iter().any(|item| word == item) => {
                in_item = true;
            }
            TokenTree::Ident(word) => return !in_item && word == "Self",
            TokenTree::Group(group) if !in_item => return mentions_self(&group.stream()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => in_item = false,
            TokenTree::Punct(punct) if punct.as_char() == ';' => in_item = false,
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        false
    })
}

const ITEMS_WITH_SELF: &[&str] = &["enum", "impl", "struct", "trait"];

/// Whether the first thing in a body is an item, such as `use std::fmt::Write;`.
pub(crate) fn begins_with_item(body: &TokenStream) -> bool {
    let is_attribute = |token: &TokenTree| match token {
        TokenTree::Punct(hash) => hash.as_char() == '#',
        TokenTree::Group(attribute) => attribute.delimiter() == Delimiter::Bracket,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let first = body.clone().into_iter().find(|token| !is_attribute(token));
    matches!(first, Some(TokenTree::Ident(word)) if ITEMS.iter().any(|item| word == item))
}

const ITEMS: &[&str] =
    &["const", "enum", "fn", "impl", "mod", "static", "struct", "trait", "type", "use"];

/// Whether an expression is a closure with a parameter of this name.
pub(crate) fn binds(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Closure(closure) if mentions(&closure.inputs, name))
}

/// The variables that an expression may use: `self` and names that stand alone. Inside of macros these are all names
/// there are, also those in texts such as `"{name}"`.
pub(crate) fn variables(expr: &Expr) -> Vec<Ident> {
    struct Collect(Vec<Ident>);
    impl VisitMut for Collect {
        fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
            self.0.extend(path.path.get_ident().cloned());
        }
        fn visit_macro_mut(&mut self, call: &mut Macro) {
            self.0.extend(idents(call.tokens.clone()));
            self.0.extend(captured(call.tokens.clone()));
        }
    }
    let mut collect = Collect(Vec::new());
    collect.visit_expr_mut(&mut expr.clone());
    collect.0
}

/// The names in the braces of format strings.
fn captured(tokens: TokenStream) -> Vec<Ident> {
    let mut names = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => names.extend(captured(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let heads =
                    text.split('{').skip(1).filter_map(|rest| rest.split([':', '}']).next());
                let parsed = heads.filter_map(|name| syn::parse_str::<Ident>(name).ok());
                names.extend(parsed.map(|mut name| {
                    name.set_span(literal.span());
                    name
                }));
            }
            _ => {}
        }
    }
    names
}

/// Without the invisible group around what a `macro_rules!` was given as `$name:expr` or `$name:literal`.
///
/// What needs the group, as `a + b` does in `&$sum`, keeps it.
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

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn names_of_fields_are_not_used() {
        for (tokens, mentioned) in [
            (quote!(id), true),
            (quote!(f(a, [id])), true),
            (quote!(0..id), true),
            (quote!(0..=id), true),
            (quote!(id.id()), true),
            (quote!(r#id), true),
            (quote!(user.id), false),
            (quote!(user.id()), false),
            (quote!(idx), false),
        ] {
            assert_eq!(mentions(&tokens, "id"), mentioned, "{tokens}");
        }
    }

    #[test]
    fn items_have_a_self_of_their_own() {
        for (body, mentioned) in [
            (quote!(Self::load(id)), true),
            (quote!(vec![Self::one()]), true),
            (quote!(struct A; impl A { fn new() -> Self { Self } } A::new()), false),
            (
                quote!(
                    enum List {
                        End,
                        More(Box<Self>),
                    },
                    id
                ),
                false,
            ),
            (quote!(fn print(x: impl Debug) {}, Self::load(id)), true),
            (
                quote!(
                    struct A {
                        next: Option<Box<Self>>,
                    },
                    Self::load(id)
                ),
                true,
            ),
            (quote!(struct A(Box<Self>);, Self::load(id)), true),
        ] {
            assert_eq!(mentions_self(&body), mentioned, "{body}");
        }
    }

    #[test]
    fn items_at_the_beginning() {
        for (body, begins) in [
            (quote!(use std::fmt::Write;, id), true),
            (
                quote!(
                    #[derive(Debug)]
                    struct Row {
                        id: i64,
                    },
                    id
                ),
                true,
            ),
            (quote!([1, 2].len()), false),
            (quote!(#[allow(unused)] let id = 1; use std::fmt; id), false),
            (quote!(used(id)), false),
        ] {
            assert_eq!(begins_with_item(&body), begins, "{body}");
        }
    }

    #[test]
    fn variables_stand_alone() {
        for (expr, expected) in [
            (quote!(user), "user"),
            (quote!(Some(user.name.clone())), "Some user"),
            (quote!(User { id, name: title.to_owned(), ..*old }), "id title old"),
            (quote!(self.tenant.join(b)), "self b"),
            (quote!(users::get(a)), "a"),
            (quote!(format!("{a}-{b:>3}-{{{c}}}-{}", d.name)), "d a b c"),
            (quote!(|x| x + y), "x y"),
        ] {
            let names = variables(&syn::parse2(expr.clone()).unwrap());
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            assert_eq!(names.join(" "), expected, "{expr}");
        }
    }

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
