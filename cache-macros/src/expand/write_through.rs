//! `#[write_through]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;

use super::arguments::{InPlace, reference};
use super::invalidates::{Begin, outcome};
use super::{Runtime, catalog, function, loader, named, placeholder, target};
use crate::attr::write_through::Entry;
use crate::diagnostics::Reported;
use crate::model::{Value, WriteThrough};

// Input:
//     #[write_through(get_user(user.id))]
//     async fn save_user(db: &PgPool, user: User) -> Result<User, Error> { BODY }
//
// Output:
//     async fn save_user(db: &PgPool, user: User) -> Result<User, Error> {
//         let entry_0 = __private::through!(get_user_key(&user.id));
//         __private::write()
//             .at({ static __CALLSITE: __private::Callsite = ..; &__CALLSITE })
//             .store(&entry_0)
//             .run_through(
//                 __private::outcome!(Result<User, Error>),
//                 move || async move { BODY },
//                 |_, _| (),
//                 move |result, values| {
//                     values.store_result(&entry_0, result);
//                 },
//             )
//             .await
//     }
pub(crate) fn write_through(model: &WriteThrough<'_>) -> Result<TokenStream, Reported> {
    let inner = &model.write;
    let runtime = Runtime::new(inner.args.runtime.get()?);
    let private = &runtime.private;

    let mut begin = Begin::new(inner, private)?;
    let mut values = Values::new(model);
    for value in &model.values {
        let value = value.as_ref().map_err(|&reported| reported)?;
        let entry = values.push(value, private);
        begin.write.extend(quote!(.store(&#entry)));
    }
    let (reads, write) = begin.finish(inner, private)?;
    let after = begin.after;
    let outcome = outcome(inner, private)?;
    let load = loader(inner.scope.function, &inner.flavor);
    let then = after.closure().unwrap_or_else(|| quote!(|_, _| ()));
    let store = values.closure();
    let call = quote!(#write.run_through(#outcome, #load, #then, #store));
    let mut lets = catalog::write("write_through", inner, &model.values, private);
    lets.extend(named::write(inner, &model.values, private));
    lets.extend(after.saved.lets);
    lets.extend(values.lets);
    lets.extend(reads);
    Ok(function(inner.scope.function, &inner.flavor, &lets, &call))
}

// Output, of `get_user(user.id) = Some(user)`:
//     let entry_0 = __private::through!(get_user_key(&user.id));
//     let kept_0_user = __private::kept(&user);
//     ..
//     move |_, values| {
//         let user = kept_0_user;
//         values.store(&entry_0, &Some(user));
//     }
struct Values {
    /// What the closure calls the success value: as the user does, if it is used.
    result: Option<Ident>,
    lets: TokenStream,
    stores: TokenStream,
    count: usize,
}

impl Values {
    fn new(model: &WriteThrough<'_>) -> Self {
        let values = || model.values.iter().flatten();
        let named = values().find_map(|value| value.uses.clone());
        // Of the user's tokens, or rustc would not show where it stands.
        let mut unnamed = values().filter(|value| value.expr.is_none());
        let unnamed = || unnamed.next().map(|value| Ident::new("result", helper(value.entry)));
        let result = named.or_else(unnamed);
        Self { result, lets: TokenStream::new(), stores: TokenStream::new(), count: 0 }
    }

    /// The variable that holds the entry.
    fn push(&mut self, value: &Value<'_>, private: &Path) -> Ident {
        let at = self.count;
        self.count += 1;
        let entry = local(&format!("entry_{at}"));
        let key = match value.entry {
            Entry::Function(call) => target::of_function(call, &mut InPlace, private),
            Entry::Method(call) => target::of_method(call, &mut InPlace, private),
            Entry::Key(key) => key.into_token_stream(),
        };
        let span = helper(value.entry);
        self.lets.extend(quote!(let #entry = #private::through!(#key);));

        let values = values();
        let Some(expr) = value.expr else {
            // Where rustc shows a value of another type.
            let result = self.result.as_ref().map(|result| placeholder::located(result, span));
            let store = quote_spanned!(span=> store_result);
            self.stores.extend(quote!(#values.#store(&#entry, #result);));
            return entry;
        };
        let mut kept = TokenStream::new();
        for (name, parameter) in &value.parameters {
            let saved = local(&format!("kept_{at}_{}", format_ident!("{}", parameter.name)));
            // Where rustc shows a value that cannot be cloned.
            let parameter = placeholder::located(parameter.name, name.span());
            let parameter = quote_spanned!(name.span()=> &#parameter);
            self.lets.extend(quote!(let #saved = #private::kept(#parameter);));
            // A name inside of a macro may be none of a variable.
            kept.extend(quote!(#[allow(unused_variables)] let #name = #saved;));
        }
        let store = quote_spanned!(span=> store);
        let value = reference(expr.clone());
        let store = quote!(#kept #values.#store(&#entry, #value););
        self.stores.extend(if kept.is_empty() { store } else { quote!({ #store }) });
        entry
    }

    fn closure(&self) -> TokenStream {
        let Self { result, stores, .. } = self;
        let values = values();
        let result = result.as_ref().map_or_else(|| quote!(_), ToTokens::to_token_stream);
        quote!(move |#result, #values| { #stores })
    }
}

fn values() -> Ident {
    local("values")
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Where rustc shows what is wrong with an entry: its arguments, since an editor takes what stands
/// at a name for that.
fn helper(entry: &Entry) -> Span {
    match entry {
        Entry::Function(call) => call.paren_token.span.join(),
        Entry::Method(call) => call.paren_token.span.join(),
        Entry::Key(key) => {
            let first = key.to_token_stream().into_iter().next();
            first.map_or_else(Span::call_site, |first| first.span())
        }
    }
}
