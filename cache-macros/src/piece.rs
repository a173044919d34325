//! The pieces of a key: text, and placeholders resolved to what they stand for.

use proc_macro2::{Ident, Span};
use syn::{Index, LitStr, Member};

use crate::braces;
use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::scope::{Scope, Subject};
use crate::template::{Change, Placeholder, Segment, Template, options};
use crate::types;

/// A piece of a key.
pub(crate) enum Piece<'a> {
    Text(String),
    /// Where the function is, and its name: what an automatic key begins with.
    Origin,
    Part(Part<'a>),
}

/// A placeholder, resolved.
pub(crate) struct Part<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) fields: Vec<Member>,
    /// What is done to the value and its text, in order.
    pub(crate) changes: Vec<Change>,
    pub(crate) form: Form,
    /// Where rustc shows a value that cannot be part of a key: the template, else the parameter.
    pub(crate) span: Span,
    /// Where the code around it stands: there too, but never where an editor would take it for the
    /// parameter.
    pub(crate) helper: Span,
}

#[derive(Clone, Copy)]
pub(crate) enum Form {
    Plain,
    /// A parameter in an automatic key.
    Argument,
    /// This character follows, and must not occur in the value.
    Before(char),
    Hash,
}

impl Piece<'_> {
    /// Whether it is a placeholder that starts at `name`.
    pub(crate) fn stands_for(&self, name: &str) -> bool {
        matches!(self, Self::Part(part) if part.subject.name() == name)
    }
}

impl<'a> Part<'a> {
    fn new(placeholder: &Placeholder, subject: Subject<'a>, span: Span) -> Self {
        let form = match placeholder.ambiguous_next() {
            _ if placeholder.hash => Form::Hash,
            Some(next) => Form::Before(next),
            None => Form::Plain,
        };
        let fields = placeholder.fields.iter().map(|field| member(field, span)).collect();
        let changes = placeholder.changes.clone();
        Self { subject, fields, changes, form, span, helper: span }
    }

    /// All of `subject`, in an automatic key.
    pub(crate) fn argument(subject: Subject<'a>, span: Span) -> Self {
        let (fields, changes, helper) = (Vec::new(), Vec::new(), Span::call_site());
        Self { subject, fields, changes, form: Form::Argument, span, helper }
    }

    /// `:trim:lower:hash`
    pub(crate) fn options(&self) -> String {
        options(&self.changes, matches!(self.form, Form::Hash))
    }
}

/// Binds the placeholders of `template`.
pub(crate) fn resolve<'a>(
    template: &Template,
    scope: &Scope<'a>,
    diagnostics: &Diagnostics,
) -> Result<Vec<Piece<'a>>, Reported> {
    let piece = |segment: &Segment| match segment {
        Segment::Text(text) => Ok(Piece::Text(text.clone())),
        Segment::Placeholder(placeholder) => {
            part(placeholder, &template.literal, scope, diagnostics).map(Piece::Part)
        }
    };
    let braces = braces::spell_nothing(
        template,
        &scope.names_of_types_too(),
        &scope.names_of_data(),
        diagnostics,
    );
    // All of them, so that all mistakes are told; the first one fails the whole.
    let pieces: Vec<_> = template.segments.iter().map(piece).collect();
    braces.and(pieces.into_iter().collect())
}

fn part<'a>(
    placeholder: &Placeholder,
    literal: &LitStr,
    scope: &Scope<'a>,
    diagnostics: &Diagnostics,
) -> Result<Part<'a>, Reported> {
    let root = &placeholder.root;
    let Some(subject) = scope.subject(root) else {
        let message = if root == "result" && !scope.sees_result() {
            "`result` is there when the body has run; the keys and tags of a cached function are \
             needed before, so they are made of its parameters"
                .to_owned()
        } else {
            let hint = did_you_mean(root, &scope.names());
            format!("`{}` has no parameter `{root}`{hint}", scope.function.name())
        };
        return Err(diagnostics.error(literal.span(), message));
    };
    let next = placeholder.ambiguous_next();
    if let Subject::Type(_) | Subject::SelfType = subject {
        let name = root;
        // The name of a type may hold nearly any character.
        if let Some(next) = next {
            let message = format!("write `<{name}>:{next}`, to mark where the type's name ends");
            return Err(diagnostics.error(literal.span(), message));
        }
        if placeholder.hash || !placeholder.changes.is_empty() || !placeholder.fields.is_empty() {
            let message =
                format!("`{name}` is a type; only its name can be part of a key: `<{name}>`");
            return Err(diagnostics.error(literal.span(), message));
        }
    }
    let change = placeholder.changes.iter().find(|&&change| change != Change::Display);
    if let (Some(change), true) = (change, is_without_letters(placeholder, subject)) {
        let (change, name) = (change.option(), placeholder.name());
        let message =
            format!("`:{change}` changes nothing in `{name}`, which is no text; write `<{root}>`");
        return Err(diagnostics.error(literal.span(), message));
    }
    Ok(Part::new(placeholder, subject, literal.span()))
}

/// Whether a value has no case and no white space, so far as its type is spelt out.
fn is_without_letters(placeholder: &Placeholder, subject: Subject<'_>) -> bool {
    let ty = match subject {
        Subject::Parameter(parameter) => parameter.ty,
        Subject::Item(item) => item.ty,
        _ => None,
    };
    placeholder.fields.is_empty() && ty.is_some_and(|ty| types::kind(ty) != "any")
}

/// Binds the placeholders of `template` to one item of a batch, which it names as it likes.
pub(crate) fn resolve_item<'a>(
    template: &'a Template,
    scope: &Scope<'_>,
    diagnostics: &Diagnostics,
) -> Result<(&'a str, Vec<Piece<'a>>), Reported> {
    let span = template.literal.span();
    let mut roots = template.segments.iter().filter_map(|segment| match segment {
        Segment::Text(_) => None,
        Segment::Placeholder(placeholder) => Some(placeholder.root.as_str()),
    });
    let item = roots.next();
    let mut names = scope.names_of_types_too();
    names.extend(item.map(str::to_owned));
    braces::spell_nothing(template, &names, &[], diagnostics)?;
    let Some(item) = item else {
        return Err(diagnostics.error(
            span,
            "nothing of an item is in the key, so all items would have the same; write something \
             like `<view.page>`, or leave `key` out (for one order of all items, \
             write `partitions = 1`)",
        ));
    };
    if scope.subject(item).is_some() {
        let message = format!(
            "`{item}` is not an item: a key is made of one item, which you name as you like, \
             as in `<view.page>`"
        );
        return Err(diagnostics.error(span, message));
    }
    if let Some(other) = roots.find(|&root| root != item) {
        let hint = did_you_mean(other, &[item]);
        let message = format!("a key is made of one item, so `{other}` cannot be used{hint}");
        return Err(diagnostics.error(span, message));
    }
    let piece = |segment: &'a Segment| match segment {
        Segment::Text(text) => Piece::Text(text.clone()),
        Segment::Placeholder(placeholder) => {
            Piece::Part(Part::new(placeholder, Subject::Pushed(&placeholder.root), span))
        }
    };
    Ok((item, template.segments.iter().map(piece).collect()))
}

fn member(field: &str, span: Span) -> Member {
    match field.parse() {
        Ok(index) => Member::Unnamed(Index { index, span }),
        Err(_) => Member::Named(ident(field, span)),
    }
}

/// `name`, raw if it is a keyword.
pub(crate) fn ident(name: &str, span: Span) -> Ident {
    let mut ident = syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, span));
    ident.set_span(span);
    ident
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::diagnostics::collect;
    use crate::function::Function;
    use crate::template::Kind;

    fn function() -> Function {
        parse_quote! {
            async fn f<T, const N: usize>(
                &self, db: &Pool, mut id: i64, (a, (b, _)): (String, (u8, u8)), Path(c): Path<i64>,
                Point { x, y: up, .. }: Point, &d: &char, r#type: Kind, _: u8,
            ) {}
        }
    }

    fn pieces(text: &str) -> Result<usize, Vec<String>> {
        let function = function();
        let scope = Scope::of_read(&function);
        let template = Template::parse(LitStr::new(text, Span::call_site()), Kind::Key).unwrap();
        collect(|diagnostics| resolve(&template, &scope, diagnostics).map(|pieces| pieces.len()))
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn placeholders_are_bound() {
        for text in [
            "<id>",
            "<self.tenant.0>",
            "<type>",
            "<T>:<N>",
            "<a>/<b>",
            "<up.match>",
            "<type:lower>:<id.name:trim:lower:hash>",
            "<id:display>/<type:display:lower>",
        ] {
            assert!(pieces(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, message) in [
            ("<idx>", "`f` has no parameter `idx`; did you mean `id`?"),
            ("<resule.id>", "`f` has no parameter `resule`; there are `db`, `id`"),
            ("<result.id>", "`result` is there when the body has run"),
            ("<Self:hash>", "only its name can be part of a key: `<Self>`"),
            ("<T>/<id>", "write `<T>:/`"),
            ("<T:hash>", "only its name can be part of a key: `<T>`"),
            ("<T:lower>", "only its name can be part of a key: `<T>`"),
            (
                "<id:lower>",
                "`:lower` changes nothing in `<id:lower>`, which is no text; write `<id>`",
            ),
            ("<id:trim:hash>", "write `<id>`"),
            ("<id:display:lower>", "`:lower` changes nothing"),
            ("<T:display>", "only its name can be part of a key: `<T>`"),
        ] {
            let errors = pieces(text).unwrap_err();
            assert!(errors[0].contains(message), "{text}: {errors:?}");
        }
        assert_eq!(pieces("<one>:<two>").unwrap_err().len(), 2);
    }

    fn item(text: &str) -> Result<(String, usize), Vec<String>> {
        let function = function();
        let scope = Scope::of_read(&function);
        let template = Template::parse(LitStr::new(text, Span::call_site()), Kind::Key).unwrap();
        collect(|diagnostics| {
            let (item, pieces) = resolve_item(&template, &scope, diagnostics)?;
            Ok((item.to_owned(), pieces.len()))
        })
        .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn the_key_of_an_item() {
        assert_eq!(item("view:<view.page>/<view.0:hash>"), Ok(("view".to_owned(), 4)));
        assert_eq!(item("<row>"), Ok(("row".to_owned(), 1)));
        for (text, message) in [
            ("all", "nothing of an item is in the key"),
            ("<db.page>", "`db` is not an item: a key is made of one item"),
            ("<self.tenant>", "`self` is not an item"),
            ("<T>", "`T` is not an item"),
            ("<view.a>:<veiw.b>", "so `veiw` cannot be used; did you mean `view`?"),
            ("<view.a>:<id>", "so `id` cannot be used; there is only `view`"),
        ] {
            let errors = item(text).unwrap_err();
            assert!(errors[0].contains(message), "{text}: {errors:?}");
        }
    }
}
