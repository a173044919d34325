//! `#[invalidates]`

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprReference, Path, Token, Type, parse_quote};

use super::{Runtime, about, cache, catalog, companion, duration, function, key, loader};
use crate::attr::each::Each;
use crate::attr::invalidates::Fence;
use crate::diagnostics::Reported;
use crate::model::{Invalidated, Invalidates, What};
use crate::piece::{Part, Piece};
use crate::scope::Subject;
use crate::syntax;

// Input:
//     #[invalidates(get_user(id))]
//     async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), Error> { BODY }
//
// Output:
//     async fn rename_user(db: &PgPool, id: i64, name: &str) -> Result<(), Error> {
//         __private::write()
//             .invalidate(get_user_key(&id))
//             .run(__private::outcome!(Result<(), Error>), move || async move { BODY })
//             .await
//     }
pub(crate) fn invalidates(model: &Invalidates<'_>) -> Result<TokenStream, Reported> {
    let runtime = Runtime::new(model.args.runtime.get()?);
    let private = &runtime.private;
    let (write, after) = write(model, private)?;
    let outcome = outcome(model, private)?;
    let load = loader(model.scope.function, &model.flavor);
    let call = match after.closure() {
        None => quote!(#write.run(#outcome, #load)),
        Some(then) => quote!(#write.run_then(#outcome, #load, #then)),
    };
    let mut lets = catalog::write("invalidates", model, &[], private);
    lets.extend(after.lets);
    Ok(function(model.scope.function, &model.flavor, &lets, &call))
}

/// The call with its options and the targets that are known before the body, and those that are known after it.
pub(super) fn write(
    model: &Invalidates<'_>,
    private: &Path,
) -> Result<(TokenStream, Then), Reported> {
    let args = model.args;
    let mut before = TokenStream::new();
    let mut after = Then::default();
    for target in &model.targets {
        let target = target.as_ref().map_err(|&reported| reported)?;
        match &target.result {
            None => before.extend(invalidate(&target.what, model, private, &mut InPlace)),
            Some(result) => after.push(target, result, model, private),
        }
    }
    let fence = args.fence.get()?.copied().unwrap_or_default();
    let fence_off = (fence == Fence::Off).then(|| quote!(.fence_off()));
    let hold_off = args.hold_off.get()?.map(|hold_off| duration("hold_off", hold_off));
    let only_ok = args.only_ok.get()?.map(|()| quote!(.only_ok()));
    let in_transaction = args.in_transaction.get()?.map(|()| quote!(.in_transaction()));
    let cache = args.cache.get()?.map(cache);
    let write =
        quote!(#private::write() #cache #fence_off #hold_off #only_ok #in_transaction #before);
    Ok((write, after))
}

/// What the runtime is to know of the return type.
pub(super) fn outcome(model: &Invalidates<'_>, private: &Path) -> Result<TokenStream, Reported> {
    let strict = model.args.fence.get()? == Some(&Fence::Strict);
    let name = if strict { "strict" } else { "outcome" };
    Ok(about(model.flavor.output(), name, private))
}

// Input:
//     get_user(id)
//     key = "user:<id>"
//     tag = "org:<org>"
//     each(id in ids) get_user(id)
//
// Output:
//     .invalidate(get_user_key(&id))
//     .key(__private::template().text("user:").part(&id))
//     .tag(__private::tag().text("org:").part(&org).done())
//     .each(&ids, |id, targets| { targets.invalidate(get_user_key(id)); })
fn invalidate(
    what: &What<'_>,
    model: &Invalidates<'_>,
    private: &Path,
    arguments: &mut dyn Arguments,
) -> TokenStream {
    let mut chain = |pieces: &[Piece<'_>]| {
        key::pieces(pieces, model.scope.function, private, |it| arguments.value(it))
    };
    match what {
        What::Key(key) => quote!(.invalidate(#key)),
        What::Template(pieces) => {
            let key = chain(pieces);
            quote!(.key(#private::template() #key))
        }
        What::TagExpr(tag) => quote!(.tag(#tag)),
        What::Tag(pieces) => {
            let tag = chain(pieces);
            quote!(.tag(#private::tag() #tag.done()))
        }
        What::Pattern(pieces) => {
            let pattern = chain(pieces);
            quote!(.pattern(#private::template() #pattern))
        }
        What::Function(call) => {
            let key = key_of_function(call, arguments);
            quote!(.invalidate(#key))
        }
        What::Method(call) => {
            let key = key_of_method(call, arguments);
            quote!(.invalidate(#key))
        }
        What::Each(each, what) => {
            let Each { word, item, items } = each;
            let items = arguments.items(items, model);
            let call = invalidate(what, model, private, &mut OfItem { item, others: arguments });
            let targets = targets();
            quote!(.#word(#items, |#item, #targets| { #targets #call; }))
        }
    }
}

/// `get_user_key(&id)` of `get_user(id)`.
pub(super) fn key_of_function(call: &ExprCall, arguments: &mut dyn Arguments) -> ExprCall {
    let mut call = call.clone();
    if let Expr::Path(path) = &mut *call.func
        && let Some(function) = path.path.segments.last_mut()
    {
        function.ident = companion::name(&function.ident, function.ident.span());
    }
    call.args = call.args.iter().map(|argument| arguments.reference(argument)).collect();
    call
}

/// `self.get_user_key(&id)` of `self.get_user(id)`.
pub(super) fn key_of_method(
    call: &ExprMethodCall,
    arguments: &mut dyn Arguments,
) -> ExprMethodCall {
    let mut call = call.clone();
    call.method = companion::name(&call.method, call.method.span());
    *call.receiver = arguments.receiver(&call.receiver);
    call.args = call.args.iter().map(|argument| arguments.reference(argument)).collect();
    call
}

/// What is handed to a target.
pub(super) trait Arguments {
    /// A reference to what `argument` evaluates to.
    fn reference(&mut self, argument: &Expr) -> Expr;
    /// What a companion is called on.
    fn receiver(&mut self, receiver: &Expr) -> Expr;
    /// A reference to what a placeholder stands for.
    fn value(&mut self, part: &Part<'_>) -> TokenStream;
    /// What gives references to the items of a collection.
    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr;
}

/// Before the body, everything is still where the user's expressions look for it.
pub(super) struct InPlace;

impl Arguments for InPlace {
    fn reference(&mut self, argument: &Expr) -> Expr {
        reference(argument.clone())
    }

    fn receiver(&mut self, receiver: &Expr) -> Expr {
        receiver.clone()
    }

    fn value(&mut self, part: &Part<'_>) -> TokenStream {
        key::value(part)
    }

    fn items(&mut self, items: &Expr, model: &Invalidates<'_>) -> Expr {
        borrow(items, model)
    }
}

/// For an item of a collection, there is a reference to it.
struct OfItem<'a> {
    item: &'a Ident,
    others: &'a mut dyn Arguments,
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
            Subject::Item(_) => key::value(part),
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

// Output, of `get_user(org, result.id)`:
//     let saved_0 = Clone::clone(&org);
//     ..
//     move |result, targets| {
//         targets.invalidate(get_user_key(&saved_0, &result.id));
//     }
#[derive(Default)]
pub(super) struct Then {
    result: Option<Ident>,
    /// What the body may move is cloned before it runs.
    pub(super) lets: TokenStream,
    saved: usize,
    calls: TokenStream,
}

impl Then {
    fn push(
        &mut self,
        target: &Invalidated<'_>,
        result: &Ident,
        model: &Invalidates<'_>,
        private: &Path,
    ) {
        self.result.get_or_insert_with(|| result.clone());
        let mut save = Save { then: self, private };
        let call = invalidate(&target.what, model, private, &mut save);
        let targets = targets();
        self.calls.extend(quote!(#targets #call;));
    }

    pub(super) fn closure(&self) -> Option<TokenStream> {
        let Self { result, calls, .. } = self;
        let targets = targets();
        result.as_ref().map(|result| quote!(move |#result, #targets| { #calls }))
    }
}

fn targets() -> Ident {
    Ident::new("targets", Span::mixed_site())
}

/// After the body, there is `result`, and what was saved.
struct Save<'a> {
    then: &'a mut Then,
    private: &'a Path,
}

impl Save<'_> {
    fn save(&mut self, reference: &TokenStream) -> Expr {
        let Self { then, private } = self;
        let saved = Ident::new(&format!("saved_{}", then.saved), Span::mixed_site());
        then.saved += 1;
        then.lets.extend(quote!(let #saved = #private::core::clone::Clone::clone(#reference);));
        parse_quote!(#saved)
    }
}

impl Arguments for Save<'_> {
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
        let value = key::value(part);
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

/// `&items`, unless it is a reference already, or makes its items as it goes.
fn borrow(items: &Expr, model: &Invalidates<'_>) -> Expr {
    let stays = matches!(items, Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(_));
    if stays && !is_shared(items, model) { reference(items.clone()) } else { items.clone() }
}

/// Whether it is certain to be a shared reference.
fn is_shared(items: &Expr, model: &Invalidates<'_>) -> bool {
    let Expr::Path(path) = items else { return false };
    let Some(name) = path.path.get_ident().map(|name| name.unraw().to_string()) else {
        return false;
    };
    let ty = model.scope.parameter(&name).and_then(|it| it.ty).map(syntax::peel);
    match ty {
        Some(Type::Reference(ty)) => ty.mutability.is_none(),
        _ => name == "result",
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
