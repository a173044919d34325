//! `before = ..`: what a write reads before its body.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Expr, Path};

/// The targets that follow from what is read.
#[derive(Default)]
pub(super) struct Before {
    /// As the user wrote it.
    name: Option<Ident>,
    calls: TokenStream,
}

impl Before {
    /// Adds a target, which the call `call` of `targets` makes.
    pub(super) fn push(&mut self, name: &Ident, targets: &Ident, call: &TokenStream) {
        self.name.get_or_insert_with(|| name.clone());
        self.calls.extend(quote!(#targets #call;));
    }

    // Output, of `#[invalidates(get_by_name(before.name), before = find(db, id))]`:
    //     let mut known = __private::write()...before();
    //     while known.goes_on() {
    //         let state = known.read(async { __private::awaited(find(db, id)).await }).await;
    //         known
    //             .fence(__private::former!(state), |before, targets| {
    //                 targets.invalidate(get_by_name_key(&before.name));
    //             })
    //             .await;
    //     }
    //
    // And the write is:
    //     known.write()
    /// The reads, and the write after them.
    pub(super) fn around(
        &self,
        read: &Expr,
        write: &TokenStream,
        targets: &Ident,
        private: &Path,
    ) -> (TokenStream, TokenStream) {
        let Self { name, calls } = self;
        let [known, state] = ["known", "state"].map(|name| Ident::new(name, Span::mixed_site()));
        let reads = quote! {
            let mut #known = #write.before();
            while #known.goes_on() {
                let #state = #known.read(async { #private::awaited(#read).await }).await;
                #known.fence(#private::former!(#state), |#name, #targets| { #calls }).await;
            }
        };
        (reads, quote!(#known.write()))
    }
}
