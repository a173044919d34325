//! What is emitted instead of an expansion when something is wrong.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

/// The function unchanged, and the errors.
///
/// Without the function, every use of it would be another error, and editors would lose completion
/// inside it. It comes first because that is where rust-analyzer looks for the item.
pub(crate) fn original(item: &TokenStream, errors: &Error) -> TokenStream {
    let errors = errors.to_compile_error();
    quote! {
        #item
        #errors
    }
}
