//! The arguments from which a target's key is made: those of the companion, or the values of the
//! placeholders. They depend on when the key is made, before the body or after it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprReference, Path, Token, Type, parse_quote};

use super::placeholder;
use crate::model::Invalidates;
use crate::piece::Part;
use crate::scope::Subject;
use crate::syntax;

/// How the arguments of a target are made.
pub(super) trait Arguments {
    /// A reference to what `argument` evaluates to.
    fn reference(&mut self, argument: &Expr) -> Expr;
    /// The receiver of a companion.
    fn receiver(&mut self, receiver: &Expr) -> Expr;
    /// A reference to what a placeholder stands for.
    fn value(&mut self, part: &Part<'_>) -> TokenStream;
    /// An expression that iterates over references to the items of a collection.
    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr;
}

/// Before the body: everything is still in its place, and the user's expressions can be used as
/// they are.
pub(super) struct InPlace;

impl Arguments for InPlace {
    fn reference(&mut self, argument: &Expr) -> Expr {
        reference(argument.clone())
    }

    fn receiver(&mut self, receiver: &Expr) -> Expr {
        receiver.clone()
    }

    fn value(&mut self, part: &Part<'_>) -> TokenStream {
        placeholder::value(part)
    }

    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr {
        borrow(items, model)
    }
}

/// For each item of a collection, to which there is a reference.
pub(super) struct OfItem<'a> {
    pub(super) item: &'a Ident,
    pub(super) others: &'a mut dyn Arguments,
}

impl OfItem<'_> {
    fn is_in(&self, argument: &Expr) -> bool {
        syntax::mentions(argument, &self.item.unraw().to_string())
    }
}

impl Arguments for OfItem<'_> {
    fn reference(&mut self, argument: &Expr) -> Expr {
        match argument {
            Expr::Path(path) if path.path.is_ident(self.item) => argument.clone(),
            _ if self.is_in(argument) => reference(argument.clone()),
            _ => self.others.reference(argument),
        }
    }

    fn receiver(&mut self, receiver: &Expr) -> Expr {
        if self.is_in(receiver) { receiver.clone() } else { self.others.receiver(receiver) }
    }

    fn value(&mut self, part: &Part<'_>) -> TokenStream {
        match part.subject {
            Subject::Item(_) => placeholder::value(part),
            _ => self.others.value(part),
        }
    }

    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr {
        match items {
            Expr::Path(path) if path.path.is_ident(self.item) => items.clone(),
            _ if self.is_in(items) => borrow(items, model),
            _ => self.others.items(items, model),
        }
    }
}

/// Clones, made before the body runs, of what it may move.
#[derive(Default)]
pub(super) struct Saved {
    pub(super) lets: TokenStream,
    count: usize,
}

impl Saved {
    fn save(&mut self, reference: &TokenStream, private: &Path) -> Expr {
        let saved = Ident::new(&format!("saved_{}", self.count), Span::mixed_site());
        self.count += 1;
        self.lets.extend(quote!(let #saved = #private::kept(#reference);));
        parse_quote!(#saved)
    }
}

/// After the body: there are `result` and the saved clones.
pub(super) struct After<'a> {
    pub(super) saved: &'a mut Saved,
    pub(super) private: &'a Path,
}

impl After<'_> {
    fn save(&mut self, reference: &TokenStream) -> Expr {
        self.saved.save(reference, self.private)
    }
}

impl Arguments for After<'_> {
    fn reference(&mut self, argument: &Expr) -> Expr {
        reference(self.receiver(argument))
    }

    fn receiver(&mut self, receiver: &Expr) -> Expr {
        if matches!(receiver, Expr::Lit(_)) || syntax::mentions(receiver, "result") {
            receiver.clone()
        } else {
            self.save(&reference(receiver.clone()).into_token_stream())
        }
    }

    fn value(&mut self, part: &Part<'_>) -> TokenStream {
        let value = placeholder::value(part);
        let saved = match part.subject {
            // `value` is the parameter: a reference, to be copied as such.
            Subject::Parameter(_) if is_ident(&value) => self.save(&quote!(&#value)),
            Subject::Parameter(_) | Subject::Receiver => self.save(&value),
            _ => return value,
        };
        quote!(&#saved)
    }

    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr {
        if syntax::mentions(items, "result") {
            return borrow(items, model);
        }
        let saved = self.save(&reference(items.clone()).into_token_stream());
        if is_shared(items, model) { saved } else { reference(saved) }
    }
}

/// `&items`, unless it is a reference already, or an iterator.
fn borrow(items: &Expr, model: &Invalidates<'_>) -> Expr {
    let stays = matches!(items, Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(_));
    if stays && !is_shared(items, model) { reference(items.clone()) } else { items.clone() }
}

/// Whether `items` is certain to be a shared reference.
fn is_shared(items: &Expr, model: &Invalidates<'_>) -> bool {
    let Expr::Path(path) = items else { return false };
    let Some(name) = path.path.get_ident().map(|name| name.unraw().to_string()) else {
        return false;
    };
    let ty = model.scope.parameter(&name).and_then(|it| it.ty).map(syntax::peel);
    match ty {
        Some(Type::Reference(ty)) => ty.mutability.is_none(),
        _ => name == "result" || (name == "before" && model.scope.sees_before()),
    }
}

fn is_ident(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!((tokens.next(), tokens.next()), (Some(TokenTree::Ident(_)), None))
}

/// `&argument`, at the argument, unless it is a reference already: `&&[1, 2]` is no slice.
pub(super) fn reference(argument: Expr) -> Expr {
    if matches!(argument, Expr::Reference(_)) {
        return argument;
    }
    let start = argument.to_token_stream().into_iter().next();
    let span = start.map_or_else(Span::call_site, |start| start.span());
    Expr::Reference(ExprReference {
        attrs: Vec::new(),
        and_token: Token![&](span),
        mutability: None,
        expr: Box::new(argument),
    })
}
