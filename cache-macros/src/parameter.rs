//! The names that a signature binds.

use syn::punctuated::Punctuated;
use syn::{FnArg, Ident, Pat, Token, Type};

use crate::syntax;

/// A name that the signature binds.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a Ident,
    /// Unknown if a pattern takes something apart whose parts have no type in the signature.
    pub(crate) ty: Option<&'a Type>,
    /// The type of the argument that it is, or is a part of.
    pub(crate) whole: &'a Type,
    /// The body may put another value there: `mut name`.
    pub(crate) is_mut: bool,
}

/// All names that `inputs` bind, but `self`.
pub(crate) fn all(inputs: &Punctuated<FnArg, Token![,]>) -> Vec<Parameter<'_>> {
    let mut parameters = Vec::new();
    for input in inputs {
        if let FnArg::Typed(input) = input {
            bind(&input.pat, Some(&input.ty), &input.ty, &mut parameters);
        }
    }
    parameters
}

/// Collects the names that `pat` binds. `ty` is its type, as far as the signature shows.
fn bind<'a>(
    pat: &'a Pat,
    ty: Option<&'a Type>,
    whole: &'a Type,
    parameters: &mut Vec<Parameter<'a>>,
) {
    match pat {
        Pat::Ident(pat) => {
            let is_mut = pat.mutability.is_some();
            parameters.push(Parameter { name: &pat.ident, ty, whole, is_mut });
            if let Some((_, inside)) = &pat.subpat {
                bind(inside, None, whole, parameters);
            }
        }
        // All cases bind the same names.
        Pat::Or(pat) => {
            pat.cases.iter().take(1).for_each(|pat| bind(pat, None, whole, parameters));
        }
        Pat::Paren(pat) => bind(&pat.pat, ty, whole, parameters),
        Pat::Reference(pat) => {
            let ty = match ty.map(syntax::peel) {
                Some(Type::Reference(ty)) => Some(&*ty.elem),
                _ => None,
            };
            bind(&pat.pat, ty, whole, parameters);
        }
        Pat::Tuple(pat) => {
            let types = match ty.map(syntax::peel) {
                Some(Type::Tuple(ty)) if ty.elems.len() == pat.elems.len() => Some(&ty.elems),
                _ => None,
            };
            for (i, pat) in pat.elems.iter().enumerate() {
                bind(pat, types.and_then(|types| types.get(i)), whole, parameters);
            }
        }
        Pat::TupleStruct(pat) => {
            pat.elems.iter().for_each(|pat| bind(pat, None, whole, parameters));
        }
        Pat::Struct(pat) => {
            pat.fields.iter().for_each(|field| bind(&field.pat, None, whole, parameters));
        }
        Pat::Slice(pat) => pat.elems.iter().for_each(|pat| bind(pat, None, whole, parameters)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::{Signature, parse_quote};

    use super::*;

    #[test]
    fn patterns_bind_names_with_their_types() {
        let signature: Signature = parse_quote! {
            async fn f(
                &self, db: &Pool, mut id: i64, (a, (b, _)): (String, (u8, u8)), Path(c): Path<i64>,
                Point { x, y: up, .. }: Point, &d: &char, r#type: Kind, _: u8,
                all @ Span { from, .. }: Span, (Left(e) | Right(e)): Either,
            )
        };
        let show = |it: &Parameter<'_>| {
            let ty = it.ty.map_or_else(|| "?".to_owned(), |ty| ty.to_token_stream().to_string());
            format!("{}: {ty}", it.name)
        };
        let names: Vec<_> = all(&signature.inputs).iter().map(show).collect();
        assert_eq!(
            names.join(", "),
            "db: & Pool, id: i64, a: String, b: u8, c: ?, x: ?, up: ?, d: char, r#type: Kind, all: \
             Span, from: ?, e: ?"
        );
    }
}
