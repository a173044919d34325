//! The names that a template may use, and what its placeholders stand for.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::{FnArg, GenericParam, Index, LitStr, Member, Pat, Type, TypeParamBound, WherePredicate};

use crate::diagnostics::{Diagnostics, Reported, did_you_mean};
use crate::function::Function;
use crate::template::{Placeholder, Segment, Template};
use crate::types;

/// What is visible in the function's body, by name.
pub(crate) struct Scope<'a> {
    pub(crate) function: &'a Function,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// Type parameters.
    pub(crate) types: Vec<&'a Ident>,
    /// Const parameters.
    pub(crate) consts: Vec<&'a Ident>,
    /// Whether `result` stands for the success value.
    sees_result: bool,
}

/// A name that the signature binds.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a Ident,
    /// Unknown if a pattern takes something apart whose parts have no type in the signature.
    pub(crate) ty: Option<&'a Type>,
    /// The type of the argument that it is, or is a part of.
    pub(crate) whole: &'a Type,
}

/// A piece of a key, resolved.
pub(crate) enum Piece<'a> {
    Text(String),
    /// The module path and name of the function.
    Origin,
    Part(Part<'a>),
}

/// A placeholder, resolved.
pub(crate) struct Part<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) fields: Vec<Member>,
    pub(crate) form: Form,
    /// The template's literal: there rustc shows a value that cannot be part of a key.
    pub(crate) span: Span,
}

impl Piece<'_> {
    /// Whether it is a placeholder that starts at `name`.
    pub(crate) fn stands_for(&self, name: &str) -> bool {
        matches!(self, Self::Part(part) if part.subject.name() == name)
    }
}

impl Subject<'_> {
    /// As a template spells it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Parameter(parameter) => parameter.name.unraw().to_string(),
            Self::Const(name) | Self::Type(name) => name.unraw().to_string(),
            Self::Receiver => "self".to_owned(),
            Self::Result => "result".to_owned(),
            Self::SelfType => "Self".to_owned(),
        }
    }
}

impl<'a> Part<'a> {
    /// All of `subject`.
    pub(crate) fn plain(subject: Subject<'a>, span: Span) -> Self {
        Self { subject, fields: Vec::new(), form: Form::Plain, span }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Parameter(Parameter<'a>),
    Receiver,
    /// The success value of a write.
    Result,
    Const(&'a Ident),
    /// A type's name is the part.
    Type(&'a Ident),
    /// `Self`
    SelfType,
}

#[derive(Clone, Copy)]
pub(crate) enum Form {
    Plain,
    /// This character follows, and must not occur in the value.
    Before(char),
    Hash,
}

impl<'a> Scope<'a> {
    /// The scope of a read: its parameters.
    pub(crate) fn of_read(function: &'a Function) -> Self {
        Self::new(function, false)
    }

    /// The scope of a write: its parameters and `result`.
    pub(crate) fn of_write(function: &'a Function) -> Self {
        Self::new(function, true)
    }

    fn new(function: &'a Function, sees_result: bool) -> Self {
        let mut parameters = Vec::new();
        for argument in &function.sig.inputs {
            if let FnArg::Typed(argument) = argument {
                bind(&argument.pat, Some(&argument.ty), &argument.ty, &mut parameters);
            }
        }
        let mut scope =
            Self { function, parameters, types: Vec::new(), consts: Vec::new(), sees_result };
        for parameter in &function.sig.generics.params {
            match parameter {
                GenericParam::Type(parameter) => scope.types.push(&parameter.ident),
                GenericParam::Const(parameter) => scope.consts.push(&parameter.ident),
                GenericParam::Lifetime(_) => {}
            }
        }
        scope
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.function.sig.receiver().is_some()
    }

    /// Whether `Self` is certain to mean something here.
    pub(crate) fn in_impl(&self) -> bool {
        self.has_receiver()
            || types::mentions(&self.function.sig, "Self")
            || types::mentions(&self.function.body, "Self")
    }

    /// The bounds of `ty`, if it is a type parameter.
    pub(crate) fn bounds(&self, ty: &Type) -> Vec<&'a TypeParamBound> {
        let generics = &self.function.sig.generics;
        let Some(name) = types::as_ident(ty).filter(|name| self.types.contains(name)) else {
            return Vec::new();
        };
        let params = generics.type_params().filter(|param| param.ident == *name);
        let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let predicates = clause.filter_map(|predicate| match predicate {
            WherePredicate::Type(it) if types::as_ident(&it.bounded_ty) == Some(name) => Some(it),
            _ => None,
        });
        params.flat_map(|param| &param.bounds).chain(predicates.flat_map(|it| &it.bounds)).collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<Parameter<'a>> {
        self.parameters.iter().find(|parameter| parameter.name.unraw() == name).copied()
    }

    /// Every name that a template or `skip` can use.
    pub(crate) fn names(&self) -> Vec<String> {
        let parameters = self.parameters.iter().map(|parameter| parameter.name.unraw().to_string());
        let generics = self.types.iter().chain(&self.consts).map(ToString::to_string);
        let receiver = self.has_receiver().then(|| "self".to_owned());
        let result = self.sees_result.then(|| "result".to_owned());
        parameters.chain(generics).chain(receiver).chain(result).collect()
    }

    /// Binds the placeholders of `template`.
    pub(crate) fn resolve(
        &self,
        template: &Template,
        diagnostics: &Diagnostics,
    ) -> Result<Vec<Piece<'a>>, Reported> {
        let pieces: Vec<_> = template
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => Ok(Piece::Text(text.clone())),
                Segment::Placeholder(placeholder) => {
                    self.part(placeholder, &template.literal, diagnostics).map(Piece::Part)
                }
            })
            .collect();
        pieces.into_iter().collect()
    }

    fn part(
        &self,
        placeholder: &Placeholder,
        literal: &LitStr,
        diagnostics: &Diagnostics,
    ) -> Result<Part<'a>, Reported> {
        let root = &placeholder.root;
        let Some(subject) = self.subject(root) else {
            let hint = did_you_mean(root, &self.names());
            let function = self.function.name();
            let message = format!("`{function}` has no parameter `{root}`{hint}");
            return Err(diagnostics.error(literal.span(), message));
        };
        let next = placeholder.ambiguous_next();
        if let Subject::Type(name) = subject {
            // The name of a type may hold nearly any character.
            if let Some(next) = next {
                let message =
                    format!("write `<{name}>:{next}`, to mark where the type's name ends");
                return Err(diagnostics.error(literal.span(), message));
            }
            if placeholder.hash || !placeholder.fields.is_empty() {
                let message =
                    format!("`{name}` is a type; only its name can be part of a key: `<{name}>`");
                return Err(diagnostics.error(literal.span(), message));
            }
        }
        let form = match next {
            _ if placeholder.hash => Form::Hash,
            Some(next) => Form::Before(next),
            None => Form::Plain,
        };
        let span = literal.span();
        let fields = placeholder.fields.iter().map(|field| member(field, span)).collect();
        Ok(Part { subject, fields, form, span })
    }

    fn subject(&self, name: &str) -> Option<Subject<'a>> {
        match name {
            "self" => self.has_receiver().then_some(Subject::Receiver),
            "result" if self.sees_result => Some(Subject::Result),
            _ => {
                if let Some(parameter) = self.parameter(name) {
                    return Some(Subject::Parameter(parameter));
                }
                let find = |names: &[&'a Ident]| names.iter().find(|it| **it == name).copied();
                let ty = find(&self.types).map(Subject::Type);
                ty.or_else(|| find(&self.consts).map(Subject::Const))
            }
        }
    }
}

/// Collects the names that `pat` binds. `ty` is its type, as far as the signature tells.
fn bind<'a>(
    pat: &'a Pat,
    ty: Option<&'a Type>,
    whole: &'a Type,
    parameters: &mut Vec<Parameter<'a>>,
) {
    match pat {
        Pat::Ident(pat) => parameters.push(Parameter { name: &pat.ident, ty, whole }),
        Pat::Paren(pat) => bind(&pat.pat, ty, whole, parameters),
        Pat::Reference(pat) => {
            let ty = match ty.map(types::peel) {
                Some(Type::Reference(ty)) => Some(&*ty.elem),
                _ => None,
            };
            bind(&pat.pat, ty, whole, parameters);
        }
        Pat::Tuple(pat) => {
            let types = match ty.map(types::peel) {
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

fn member(field: &str, span: Span) -> Member {
    match field.parse() {
        Ok(index) => Member::Unnamed(Index { index, span }),
        Err(_) => Member::Named(ident(field, span)),
    }
}

/// `name`, raw if it is a keyword.
fn ident(name: &str, span: Span) -> Ident {
    let mut ident = syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, span));
    ident.set_span(span);
    ident
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::diagnostics::collect;
    use crate::template::Kind;

    fn function() -> Function {
        parse_quote! {
            async fn f<T, const N: usize>(
                &self, db: &Pool, mut id: i64, (a, (b, _)): (String, (u8, u8)), Path(c): Path<i64>,
                Point { x, y: up, .. }: Point, &d: &char, r#type: Kind, _: u8,
            ) {}
        }
    }

    fn resolve(text: &str) -> Result<usize, Vec<String>> {
        let function = function();
        let scope = Scope::of_read(&function);
        let template = Template::parse(LitStr::new(text, Span::call_site()), Kind::Key).unwrap();
        collect(|diagnostics| scope.resolve(&template, diagnostics).map(|pieces| pieces.len()))
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
    }

    #[test]
    fn patterns_bind_names_with_their_types() {
        let function = function();
        let scope = Scope::of_read(&function);
        let types: Vec<_> = scope
            .parameters
            .iter()
            .map(|it| {
                let ty =
                    it.ty.map_or("?".into(), |ty| quote::ToTokens::to_token_stream(ty).to_string());
                format!("{}: {ty}", it.name)
            })
            .collect();
        assert_eq!(
            types.join(", "),
            "db: & Pool, id: i64, a: String, b: u8, c: ?, x: ?, up: ?, d: char, r#type: Kind"
        );
    }

    #[test]
    fn placeholders_are_bound() {
        for text in ["<id>", "<self.tenant.0>", "<type>", "<T>:<N>", "<a>/<b>", "<up.match>"] {
            assert!(resolve(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, message) in [
            ("<idx>", "`f` has no parameter `idx`; did you mean `id`?"),
            ("<result.id>", "`f` has no parameter `result`; there are `db`, `id`"),
            ("<T>/<id>", "write `<T>:/`"),
            ("<T:hash>", "only its name can be part of a key: `<T>`"),
        ] {
            let errors = resolve(text).unwrap_err();
            assert!(errors[0].contains(message), "{text}: {errors:?}");
        }
        assert_eq!(resolve("<one>:<two>").unwrap_err().len(), 2);
    }
}
