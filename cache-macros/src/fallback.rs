//! What is emitted instead of an expansion when something is wrong.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

/// The function untouched, and the errors.
///
/// Without the function every use of it would be a second error, and an editor would lose completion in
/// it. It comes first because rust-analyzer looks for the item there.
pub(crate) fn original(item: &TokenStream, errors: &Error) -> TokenStream {
    let errors = errors.to_compile_error();
    quote! {
        #item
        #errors
    }
}
