//! `tags = [..]`: templates for tags that the key tells, and a closure for those that only the
//! value tells.

use syn::parse::ParseStream;
use syn::{Error, Expr, ExprArray, ExprClosure, ExprLit, Lit};

use super::name::Name;
use crate::syntax;
use crate::template::{Kind, Template};

/// The tags of an entry.
#[derive(Default)]
pub(crate) struct Tags {
    pub(crate) templates: Vec<Template>,
    /// `|article| ..`
    pub(crate) of_value: Option<ExprClosure>,
}

pub(super) fn tags(name: &Name, input: ParseStream<'_>) -> syn::Result<Tags> {
    let list = match name.expr(input)? {
        Expr::Closure(closure) => {
            return Ok(Tags { of_value: Some(one_parameter(closure)?), ..Tags::default() });
        }
        Expr::Array(ExprArray { elems, .. }) => elems,
        _ => return Err(name.misused("takes a list, or a closure")),
    };
    if list.is_empty() {
        return Err(name.misused("names nothing"));
    }
    let (mut tags, mut mistakes) = (Tags::default(), None::<Error>);
    for tag in list {
        if let Err(mistake) = add(&mut tags, tag) {
            match &mut mistakes {
                Some(mistakes) => mistakes.combine(mistake),
                none => *none = Some(mistake),
            }
        }
    }
    mistakes.map_or(Ok(tags), Err)
}

fn add(tags: &mut Tags, tag: Expr) -> syn::Result<()> {
    match syntax::ungrouped(tag) {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
            tags.templates.push(Template::parse(literal, Kind::Tag)?);
        }
        Expr::Closure(closure) if tags.of_value.is_none() => {
            tags.of_value = Some(one_parameter(closure)?);
        }
        Expr::Closure(second) => {
            let message = "one closure returns all tags that the value tells; join the two";
            return Err(Error::new_spanned(second, message));
        }
        tag => {
            let message = "a tag is a template in quotes, such as `\"org:<org_id>\"`, or a closure \
                           that makes tags of the value, such as `|user: &User| \
                           [tag!(\"org:<user.org_id>\")]`";
            return Err(Error::new_spanned(tag, message));
        }
    }
    Ok(())
}

fn one_parameter(closure: ExprClosure) -> syn::Result<ExprClosure> {
    if closure.inputs.len() == 1 {
        return Ok(closure);
    }
    let message = "a `tags` closure takes the value, by reference: write `|user: &User| \
                   [tag!(\"org:<user.org_id>\")]`";
    Err(Error::new_spanned(closure, message))
}
