use syn::{LitStr, parse_quote};

use super::*;
use crate::diagnostics::collect;
use crate::function::Function;
use crate::scope::Scope;
use crate::template::{Kind, Template};

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
        ("<id:lower>", "`:lower` changes nothing in `<id:lower>`, which is no text; write `<id>`"),
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
