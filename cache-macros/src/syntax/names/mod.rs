//! The names that tokens and expressions use.

#[cfg(test)]
mod tests;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::visit_mut::VisitMut;
use syn::{Expr, ExprPath, Macro};

/// Every name in `tokens` but those of fields and methods, and the `self` of a path.
pub(crate) fn idents(tokens: TokenStream) -> Vec<Ident> {
    let mut names = Vec::new();
    // `a.name` is a field, `a..name` is not.
    let mut dots = 0;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '.' => dots += 1,
            TokenTree::Ident(ident) if dots != 1 => {
                // `self::TTL` is in this module, and `self` of nobody.
                if ident != "self" || !tokens.peek().is_some_and(begins_path_separator) {
                    names.push(ident);
                }
                dots = 0;
            }
            TokenTree::Group(group) => {
                names.extend(idents(group.stream()));
                dots = 0;
            }
            _ => dots = 0,
        }
    }
    names
}

/// Whether it is the first colon of `::`, and not the one of `name: Type`.
fn begins_path_separator(token: &TokenTree) -> bool {
    let TokenTree::Punct(colon) = token else { return false };
    colon.as_char() == ':' && colon.spacing() == Spacing::Joint
}

/// Whether `name` is used in `syntax`.
pub(crate) fn mentions(syntax: &impl ToTokens, name: &str) -> bool {
    mention(syntax, name).is_some()
}

/// The first use of `name` in `syntax`.
pub(crate) fn mention(syntax: &impl ToTokens, name: &str) -> Option<Ident> {
    idents(syntax.to_token_stream()).into_iter().find(|ident| ident.unraw() == name)
}

/// Whether a body uses the `Self` that is around it: in an item inside of it, `Self` is that item's
/// own.
pub(crate) fn mentions_self(body: &TokenStream) -> bool {
    let mut in_item = false;
    body.clone().into_iter().any(|token| {
        match token {
            TokenTree::Ident(word) if ITEMS_WITH_SELF.iter().any(|item| word == item) => {
                in_item = true;
            }
            TokenTree::Ident(word) => return !in_item && word == "Self",
            TokenTree::Group(group) if !in_item => return mentions_self(&group.stream()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => in_item = false,
            TokenTree::Punct(punct) if punct.as_char() == ';' => in_item = false,
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        false
    })
}

const ITEMS_WITH_SELF: &[&str] = &["enum", "impl", "struct", "trait"];

/// Whether the first thing in a body is an item, such as `use std::fmt::Write;`.
pub(crate) fn begins_with_item(body: &TokenStream) -> bool {
    let is_attribute = |token: &TokenTree| match token {
        TokenTree::Punct(hash) => hash.as_char() == '#',
        TokenTree::Group(attribute) => attribute.delimiter() == Delimiter::Bracket,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let first = body.clone().into_iter().find(|token| !is_attribute(token));
    matches!(first, Some(TokenTree::Ident(word)) if ITEMS.iter().any(|item| word == item))
}

const ITEMS: &[&str] =
    &["const", "enum", "fn", "impl", "mod", "static", "struct", "trait", "type", "use"];

/// Whether an expression is a closure with a parameter of this name.
pub(crate) fn binds(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Closure(closure) if mentions(&closure.inputs, name))
}

/// The variables that an expression may use: `self`, and names that stand alone. Inside macro calls
/// these are all names, including those in format strings such as `"{name}"`.
pub(crate) fn variables(expr: &Expr) -> Vec<Ident> {
    struct Collect(Vec<Ident>);
    impl VisitMut for Collect {
        fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
            self.0.extend(path.path.get_ident().cloned());
        }
        fn visit_macro_mut(&mut self, call: &mut Macro) {
            self.0.extend(idents(call.tokens.clone()));
            self.0.extend(captured(call.tokens.clone()));
        }
    }
    let mut collect = Collect(Vec::new());
    collect.visit_expr_mut(&mut expr.clone());
    collect.0
}

/// Whether an expression uses the variable `name`.
pub(crate) fn uses(expr: &Expr, name: &str) -> bool {
    variable(expr, name).is_some()
}

/// The first use of the variable `name` in an expression.
pub(crate) fn variable(expr: &Expr, name: &str) -> Option<Ident> {
    variables(expr).into_iter().find(|it| it.unraw() == name)
}

/// The fields of `name` that are used in `body`, each once: `tenant` of `ctx.tenant`. An item in
/// the body has names of its own.
pub(crate) fn fields_of(body: &TokenStream, name: &Ident) -> Vec<Ident> {
    let mut fields: Vec<Ident> = Vec::new();
    let mut in_item = false;
    let tokens: Vec<_> = body.clone().into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        // `a.ctx.x` is a field of `a`, `..ctx.x` is not.
        let dots = tokens.get(..i).unwrap_or_default().iter().rev().take_while(|it| is_dot(it));
        let is_field_itself = dots.count() == 1;
        let found = match (token, tokens.get(i + 1..).unwrap_or_default()) {
            (TokenTree::Ident(word), _) if ITEMS_WITH_NAMES.iter().any(|item| word == item) => {
                in_item = true;
                Vec::new()
            }
            (TokenTree::Group(group), _) if !in_item => fields_of(&group.stream(), name),
            (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => {
                in_item = false;
                Vec::new()
            }
            (TokenTree::Punct(punct), _) if punct.as_char() == ';' => {
                in_item = false;
                Vec::new()
            }
            (TokenTree::Ident(it), [TokenTree::Punct(dot), TokenTree::Ident(field), rest @ ..])
                if it == name && dot.as_char() == '.' && !is_field_itself =>
            {
                let called = matches!(rest.first(), Some(TokenTree::Group(group))
                    if group.delimiter() == Delimiter::Parenthesis);
                let generic =
                    matches!(rest.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                let is_field = !in_item && !called && !generic && field != "await";
                is_field.then(|| field.clone()).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for field in found {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    fields
}

const ITEMS_WITH_NAMES: &[&str] = &["fn", "impl", "trait"];

fn is_dot(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '.')
}

/// The names in the braces of format strings.
fn captured(tokens: TokenStream) -> Vec<Ident> {
    let mut names = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => names.extend(captured(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let heads =
                    text.split('{').skip(1).filter_map(|rest| rest.split([':', '}']).next());
                let parsed = heads.filter_map(|name| syn::parse_str::<Ident>(name).ok());
                names.extend(parsed.map(|mut name| {
                    name.set_span(literal.span());
                    name
                }));
            }
            _ => {}
        }
    }
    names
}
