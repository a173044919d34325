//! `#[write_behind]`: the sink is not changed, and gets two companions.

mod queue;
#[cfg(test)]
mod tests;
mod worker;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::Attribute;
use syn::ext::IdentExt as _;

use self::queue::queue;
use self::worker::worker;
use super::Runtime;
use crate::diagnostics::Reported;
use crate::model::WriteBehind;

// Input:
//     #[write_behind(queue = "page-views", key = "<view.page>", batch = 500)]
//     pub async fn save_views(db: &PgPool, views: Vec<PageView>) -> sqlx::Result<()> { BODY }
//
// Output:
//     pub fn save_views_queue() -> Queue<PageView> { .. }
//     pub fn save_views_worker(db: impl Own<PgPool>) -> Worker { .. }
pub(crate) fn write_behind(model: &WriteBehind<'_>) -> Result<TokenStream, Reported> {
    let runtime = Runtime::new(model.args.runtime.get()?);
    let queue = queue(model, &runtime)?;
    let worker = worker(model, &runtime)?;
    Ok(quote!(#queue #worker))
}

/// `save_views_queue` for `save_views`.
fn companion(model: &WriteBehind<'_>, what: &str) -> Ident {
    let function = model.scope.function.sig.ident.unraw();
    format_ident!("{function}_{what}", span = Span::call_site())
}

/// As another function beside it calls it.
fn in_scope(model: &WriteBehind<'_>, name: Ident) -> TokenStream {
    if model.scope.in_impl() { quote!(Self::#name) } else { name.into_token_stream() }
}

fn link(model: &WriteBehind<'_>, name: &Ident) -> String {
    if model.scope.in_impl() { format!("[`{name}`](Self::{name})") } else { format!("[`{name}`]") }
}

/// Where the function is not, its companions must not be.
fn kept(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("allow"))
}
