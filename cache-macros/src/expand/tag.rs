//! `tag!("author:<article.author>")`

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Path, Token};

use super::{key, placeholder};
use crate::piece::Part;
use crate::scope::Subject;
use crate::template::{Kind, Segment, Template};

/// What the macro of the runtime hands on: the path of its crate, and the template.
pub(crate) struct TagCall {
    runtime: Path,
    template: syn::Result<Template>,
}

impl Parse for TagCall {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = input.call(Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let literal = input.parse::<LitStr>().map_err(|error| {
            let message =
                "a tag is a template in quotes: write `tag!(\"author:<article.author>\")`";
            syn::Error::new(error.span(), message)
        });
        // What could not be parsed is left, and has been told.
        input.parse::<TokenStream>()?;
        Ok(Self { runtime, template: literal.and_then(|it| Template::parse(it, Kind::Tag)) })
    }
}

// Output, of `tag!("author:<article.author>")`:
//     ::cache_runtime::Tag::builder().text("author:").part(&article.author).done()
pub(crate) fn tag(TagCall { runtime, template }: &TagCall) -> TokenStream {
    let template = match template {
        Ok(template) => template,
        // In a block, since there may be several, with a tag of the right type behind them.
        Err(errors) => {
            let errors = errors.to_compile_error();
            return quote!({ #errors #runtime::Tag::builder().done() });
        }
    };
    let private = syn::parse_quote!(#runtime::__private);
    let span = template.literal.span();
    let pieces = template.segments.iter().map(|segment| match segment {
        Segment::Text(text) => quote!(.text(#text)),
        Segment::Placeholder(place) => {
            let subject = match place.root.as_str() {
                "self" => Subject::Receiver,
                root => Subject::Pushed(root),
            };
            key::part(&Part::new(place, subject, span), &private, placeholder::value)
        }
    });
    quote!(#runtime::Tag::builder() #(#pieces)* .done())
}
