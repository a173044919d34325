//! The key of a target that is a call: what its companion makes of the arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Path, PathArguments, parse_quote_spanned};

use super::arguments::Arguments;
use super::companion::name::companion_name;
use super::respanned;

/// The most arguments of a method whose companion may lack the receiver.
const MOST_ARGUMENTS: usize = 8;

// Output, of `get_user(id)`:
//     get_user_key(&id)
//
// Output, of `get_user_key(id)`, which is a companion or a function whose name ends like one:
//     __private::companion!(get_user_key_key or get_user_key, in self)(&id)
pub(super) fn of_function(
    call: &ExprCall,
    arguments: &mut dyn Arguments,
    private: &Path,
) -> TokenStream {
    let function = match &*call.func {
        Expr::Path(path) => itself_or_companion(path, private),
        function => function.to_token_stream(),
    };
    let arguments = call.args.iter().map(|argument| arguments.reference(argument));
    let mut inside = quote!(#(#arguments),*);
    if call.args.trailing_punct() {
        inside.extend(quote!(,));
    }
    let mut tokens = function;
    call.paren_token.surround(&mut tokens, |tokens| tokens.extend(inside));
    tokens
}

// Output, of `self.get_user(id)`, whose companion may have a receiver or not:
//     __private::Receiver::<Self>::new(&self)
//         .companion::<_, (_,), _>(Self::get_user_key)
//         .key((&id,))
//
// Output, of `repo.get_user(id)`:
//     repo.get_user_key(&id)
pub(super) fn of_method(
    call: &ExprMethodCall,
    arguments: &mut dyn Arguments,
    private: &Path,
) -> TokenStream {
    let is_self = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
    let receiver = arguments.receiver(&call.receiver);
    let given = call.args.iter().map(|argument| arguments.reference(argument));
    if !is_self || call.turbofish.is_some() || call.args.len() > MOST_ARGUMENTS {
        let mut call = call.clone();
        call.args = given.collect();
        // rustc suggests no companion for it, which would be taken for a function and get another
        // `_key`.
        let span = Span::mixed_site().located_at(call.method.span());
        call.method = companion_name(&call.method, span);
        *call.receiver = receiver;
        return call.into_token_stream();
    }
    let method = &call.method;
    let path: ExprPath = parse_quote_spanned!(method.span()=> Self::#method);
    let companion = itself_or_companion(&path, private);
    let given: Vec<_> = given.collect();
    let types = given.iter().map(|_| quote!(_,));
    let private = respanned(private, method.span());
    let bound = quote_spanned!(method.span()=> companion::<_, (#(#types)*), _>(#companion));
    quote!(#private::Receiver::<Self>::new(&#receiver).#bound.key((#(#given,)*)))
}

/// The companion of the function at `path`, or what is there, if that is a companion itself.
fn itself_or_companion(path: &ExprPath, private: &Path) -> TokenStream {
    let mut companion = path.clone();
    let Some(last) = companion.path.segments.last_mut() else { return path.to_token_stream() };
    let may_be_itself =
        ends_as_companion(&last.ident) && matches!(last.arguments, PathArguments::None);
    let name = companion_name(&last.ident, last.ident.span());
    last.ident = name.clone();
    if !may_be_itself {
        return companion.into_token_stream();
    }
    let macro_path = respanned(private, name.span());
    if path.qself.is_none()
        && let Some(module) = module(&path.path)
    {
        quote_spanned!(name.span()=> #macro_path::companion!(#name or #path, in #module))
    } else {
        quote_spanned!(name.span()=> #macro_path::companion!(#name or #path, of #companion))
    }
}

/// `get_user_key`, which is the companion of `get_user`, or a function whose own companion is
/// `get_user_key_key`.
pub(super) fn ends_as_companion(name: &Ident) -> bool {
    name.unraw().to_string().ends_with("_key")
}

/// The module of a function, as the path names it; `None` if it is one of a type.
pub(super) fn module(path: &Path) -> Option<TokenStream> {
    let outside: Vec<_> = path.segments.iter().rev().skip(1).collect();
    // By custom, types begin with a capital letter and modules do not.
    let of_type = outside.first().is_some_and(|outside| {
        outside.ident.to_string().starts_with(char::is_uppercase)
            || !matches!(outside.arguments, PathArguments::None)
    });
    if of_type {
        return None;
    }
    let colon = path.leading_colon;
    let names: Vec<&Ident> = outside.iter().rev().map(|it| &it.ident).collect();
    Some(if names.is_empty() { quote!(self) } else { quote!(#colon #(#names)::*) })
}
