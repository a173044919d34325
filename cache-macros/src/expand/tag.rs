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
    template: Template,
}

impl Parse for TagCall {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = input.call(Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let literal: LitStr = input.parse().map_err(|error| {
            let message =
                "a tag is a template in quotes: write `tag!(\"author:<article.author>\")`";
            syn::Error::new(error.span(), message)
        })?;
        Ok(Self { runtime, template: Template::parse(literal, Kind::Tag)? })
    }
}

// Output, of `tag!("author:<article.author>")`:
//     ::cache_runtime::Tag::builder().text("author:").part(&article.author).done()
pub(crate) fn tag(TagCall { runtime, template }: &TagCall) -> TokenStream {
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
