//! `#[derive(KeyPart)]`: a value's text in a key, made of those of its fields.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Error, Field, Fields, Generics, Item, Member, Path, Type, TypePath, WherePredicate,
    parse_quote,
};

use crate::types;

/// What a value can be: a struct, or one of an enum's variants.
struct Case {
    variant: Option<Ident>,
    fields: Fields,
}

// Input:
//     enum Order<T> { Newest, By { author: T } }
//
// Output:
//     impl<T> ::cache_runtime::KeyPart for Order<T> where T: ::cache_runtime::KeyPart {
//         fn write(&self, segment: &mut ::cache_runtime::key::Segment<'_>) {
//             match *self {
//                 Self::Newest { .. } => segment.record(Some("Newest"), &[]),
//                 Self::By { author: ref part, .. } => segment.record(Some("By"), &[&part]),
//             }
//         }
//     }
pub(crate) fn key_part(item: TokenStream) -> syn::Result<TokenStream> {
    let (attrs, name, generics, cases) = match syn::parse2(item)? {
        Item::Struct(it) => {
            let case = Case { variant: None, fields: it.fields };
            (it.attrs, it.ident, it.generics, vec![case])
        }
        Item::Enum(it) => {
            let variants = it.variants.into_iter();
            let cases = variants.map(|it| Case { variant: Some(it.ident), fields: it.fields });
            (it.attrs, it.ident, it.generics, cases.collect())
        }
        Item::Union(it) => {
            let message = "nobody can tell which field of a union holds its value, so it has no \
                           text in a key; implement `KeyPart` by hand";
            return Err(Error::new(it.union_token.span, message));
        }
        other => {
            return Err(Error::new_spanned(other, "`KeyPart` is derived for structs and enums"));
        }
    };
    let runtime = runtime(&attrs)?;
    let segment = Ident::new("segment", Span::mixed_site());
    let arms = cases.iter().map(|case| case.arm(&segment, &runtime));
    let bounds = bounds(&generics, &cases, &runtime);
    let (parameters, arguments, clause) = generics.split_for_impl();
    let given = clause.into_iter().flat_map(|clause| &clause.predicates);
    let predicates: Vec<_> = given.chain(&bounds).collect();
    let clause = (!predicates.is_empty()).then(|| quote!(where #(#predicates),*));
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #runtime::KeyPart for #name #arguments #clause {
            fn write(&self, #segment: &mut #runtime::key::Segment<'_>) {
                match *self { #(#arms)* }
            }
        }
    })
}

impl Case {
    /// The fields that a key shows.
    fn shown(&self) -> impl Iterator<Item = (Member, &Field)> {
        let fields = self.fields.members().zip(&self.fields);
        fields.filter(|(_, field)| !types::is_empty(&field.ty))
    }

    fn arm(&self, segment: &Ident, runtime: &Path) -> TokenStream {
        let (mut patterns, mut parts) = (Vec::new(), Vec::new());
        for (at, (member, field)) in self.shown().enumerate() {
            let mut part = Ident::new(&format!("part{at}"), Span::mixed_site());
            patterns.push(quote!(#member: ref #part));
            // Where rustc shows a field that cannot be part of a key.
            let span = field.ty.span();
            part.set_span(part.span().located_at(span));
            parts.push(quote_spanned!(span=> &#part));
        }
        let variant = self.variant.as_ref().map(|name| quote!(::#name));
        let option = quote!(#runtime::__private::core::option::Option);
        let write = match (&self.variant, parts.as_slice()) {
            (None, [part]) => quote!(#runtime::KeyPart::write(#part, #segment)),
            (None, parts) => quote!(#segment.record(#option::None, &[#(#parts),*])),
            (Some(name), parts) => {
                let name = name.unraw().to_string();
                quote!(#segment.record(#option::Some(#name), &[#(#parts),*]))
            }
        };
        quote!(Self #variant { #(#patterns,)* .. } => #write,)
    }
}

/// `#[key_part(crate = path)]`
fn runtime(attrs: &[Attribute]) -> syn::Result<Path> {
    let mut runtime = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("key_part")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(
                    meta.error("there is only `#[key_part(crate = path::to::cache_runtime)]`")
                );
            }
            let path = meta.value()?.call(Path::parse_mod_style)?;
            match runtime.replace(path) {
                None => Ok(()),
                Some(_) => Err(meta.error("`crate` is given twice")),
            }
        })?;
    }
    Ok(runtime.unwrap_or_else(|| parse_quote!(::cache_runtime)))
}

/// `T: KeyPart`, for each parameter that a shown field mentions.
fn bounds(generics: &Generics, cases: &[Case], runtime: &Path) -> Vec<WherePredicate> {
    let parameters = generics.type_params().map(|it| it.ident.clone()).collect();
    let mut mentioned = Mentioned { parameters, types: Vec::new() };
    for (_, field) in cases.iter().flat_map(Case::shown) {
        mentioned.visit_type_mut(&mut field.ty.clone());
    }
    let bound = |ty: &Type| parse_quote!(#ty: #runtime::KeyPart);
    mentioned.types.iter().map(bound).collect()
}

/// Finds `T` and `T::Id` in types, as those derives do that come with Rust.
struct Mentioned {
    parameters: HashSet<Ident>,
    types: Vec<Type>,
}

impl VisitMut for Mentioned {
    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        let first = ty.path.segments.first();
        let is_phantom = ty.path.segments.last().is_some_and(|it| it.ident == "PhantomData");
        let is_ours = ty.qself.is_some() && self.is_about_parameters(ty)
            || first.is_some_and(|it| self.parameters.contains(&it.ident));
        if is_ours {
            // Types can be compared only with a feature of `syn` that takes long to compile.
            let text = ty.to_token_stream().to_string();
            if self.types.iter().all(|it| it.to_token_stream().to_string() != text) {
                self.types.push(Type::Path(ty.clone()));
            }
        } else if !is_phantom {
            visit_mut::visit_type_path_mut(self, ty);
        }
    }
}

impl Mentioned {
    fn is_about_parameters(&self, ty: &TypePath) -> bool {
        let names = crate::syntax::idents(ty.to_token_stream());
        names.iter().any(|name| self.parameters.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_str;

    use super::*;

    fn derived(item: &str) -> String {
        let item = parse_str::<TokenStream>(item).unwrap();
        let tokens = key_part(item).unwrap_or_else(|error| error.to_compile_error());
        let text: String = tokens.to_string().split_whitespace().collect();
        text.replace("::cache_runtime", "rt").replace("rt::__private::core::option::Option::", "")
    }

    /// The bounds, and the arms of the match.
    fn parts(item: &str) -> (String, String) {
        let text = derived(item);
        let (head, body) = text.split_once("{fnwrite").unwrap();
        let (_, arms) = body.split_once("match*self{").unwrap();
        let bounds = head.split_once("where").map_or("", |(_, bounds)| bounds);
        (bounds.to_owned(), arms.strip_suffix("}}}").unwrap().to_owned())
    }

    #[test]
    fn expansions() {
        for (item, bounds, arms) in [
            ("struct A(i64);", "", "Self{0:refpart0,..}=>rt::KeyPart::write(&part0,segment),"),
            (
                "struct A<T> { id: u8, of: PhantomData<T> }",
                "",
                "Self{id:refpart0,..}=>rt::KeyPart::write(&part0,segment),",
            ),
            (
                "struct A<'a, T: Id>(&'a [T], T::Key, <T as Id>::Key) where T: Clone;",
                "T:Clone,T:rt::KeyPart,T::Key:rt::KeyPart,<TasId>::Key:rt::KeyPart",
                "Self{0:refpart0,1:refpart1,2:refpart2,..}=>\
                 segment.record(None,&[&part0,&part1,&part2]),",
            ),
            ("struct A;", "", "Self{..}=>segment.record(None,&[]),"),
            ("enum A {}", "", ""),
            (
                "enum A<T> { r#type, B(Vec<T>) }",
                "T:rt::KeyPart",
                "Self::r#type{..}=>segment.record(Some(\"type\"),&[]),\
                 Self::B{0:refpart0,..}=>segment.record(Some(\"B\"),&[&part0]),",
            ),
        ] {
            assert_eq!(parts(item), (bounds.to_owned(), arms.to_owned()), "{item}");
        }
        let text = derived("#[key_part(crate = a::b)] struct A(i64);");
        assert!(text.contains("impla::b::KeyPartforA"), "{text}");
    }

    #[test]
    fn mistakes() {
        for (item, message) in [
            ("union A { a: u8 }", "nobodycantell"),
            ("fn a() {}", "structsandenums"),
            ("#[key_part(skip)] struct A(u8);", "thereisonly"),
            ("#[key_part(crate = a, crate = b)] struct A(u8);", "giventwice"),
        ] {
            assert!(derived(item).contains(message), "{item}");
        }
    }
}
