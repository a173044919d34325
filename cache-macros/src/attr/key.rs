//! Values that are templates.

use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, ExprMacro, Lit, Path};

use super::name::Name;
use crate::template::{Kind, Template};

/// `key = ..`, `tag = ..` or `pattern = ..`: a literal is a template, anything else an expression.
pub(crate) enum KeyArg {
    Template(Template),
    Expr(Expr),
}

impl KeyArg {
    /// `key = ..`
    pub(super) fn key(name: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        Self::parse(name, input, Kind::Key)
    }

    pub(super) fn parse(name: &Name, input: ParseStream<'_>, kind: Kind) -> syn::Result<Self> {
        match name.expr(input)? {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                Template::parse(literal, kind).map(Self::Template)
            }
            Expr::Lit(literal) => {
                let message =
                    format!("`{}` is text in quotes: write `{}`", name.text, name.example);
                Err(Error::new_spanned(literal, message))
            }
            Expr::Macro(ExprMacro { mac, .. })
                if kind == Kind::Key && mac.path.is_ident("format") =>
            {
                let message = format!(
                    "a key is a template of its own, which keeps arguments apart, and no \
                     `format!`: write `{}`",
                    name.example
                );
                Err(Error::new_spanned(mac, message))
            }
            Expr::Macro(ExprMacro { mac, .. }) if kind != Kind::Tag && makes_text(&mac.path) => {
                let message = format!(
                    "a template is read before any macro in it runs, so its text is in quotes: \
                     write `{}`",
                    name.example
                );
                Err(Error::new_spanned(mac, message))
            }
            Expr::Path(path) if kind != Kind::Tag && is_constant(&path.path) => {
                Err(Error::new_spanned(&path, of_constant(name, kind)))
            }
            expr => Ok(Self::Expr(expr)),
        }
    }
}

/// Whether it is a macro whose value is text.
fn makes_text(path: &Path) -> bool {
    const MACROS: &[&str] = &["concat", "concatcp", "env", "formatcp", "include_str", "stringify"];
    path.segments.last().is_some_and(|it| MACROS.iter().any(|name| it.ident == name))
}

/// Whether it is written like a constant: `USER_KEY`.
fn is_constant(path: &Path) -> bool {
    path.segments.last().is_some_and(|it| {
        let name = it.ident.unraw().to_string();
        name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase)
    })
}

fn of_constant(name: &Name, kind: Kind) -> String {
    let text = format!(
        "a template is read before the value of a constant is known, so its text is in quotes: \
         write `{}`",
        name.example
    );
    match kind {
        Kind::Key => format!(
            "{text}; where several functions share entries, one has the template, and the others \
             say `key = get_user_key(&id)`"
        ),
        Kind::Tag | Kind::Pattern => text,
    }
}
