use quote::quote;

use super::*;

#[test]
fn names_of_fields_are_not_used() {
    for (tokens, mentioned) in [
        (quote!(id), true),
        (quote!(f(a, [id])), true),
        (quote!(0..id), true),
        (quote!(0..=id), true),
        (quote!(id.id()), true),
        (quote!(r#id), true),
        (quote!(user.id), false),
        (quote!(user.id()), false),
        (quote!(idx), false),
    ] {
        assert_eq!(mentions(&tokens, "id"), mentioned, "{tokens}");
    }
}

#[test]
fn a_module_is_no_receiver() {
    for (tokens, mentioned) in [
        (quote!(self::config::TTL), false),
        (quote!(f([self::TTL])), false),
        (quote!(Duration::from_secs(self::config::SECONDS + self.more)), true),
        (quote!(self.ttl), true),
        (quote!(Options { of: self, ttl: self::TTL }), true),
        (quote!(|self_: &Self| self_::TTL), false),
    ] {
        assert_eq!(mentions(&tokens, "self"), mentioned, "{tokens}");
    }
}

#[test]
fn items_have_a_self_of_their_own() {
    for (body, mentioned) in [
        (quote!(Self::load(id)), true),
        (quote!(vec![Self::one()]), true),
        (quote!(struct A; impl A { fn new() -> Self { Self } } A::new()), false),
        (
            quote!(
                enum List {
                    End,
                    More(Box<Self>),
                },
                id
            ),
            false,
        ),
        (quote!(fn print(x: impl Debug) {}, Self::load(id)), true),
        (
            quote!(
                struct A {
                    next: Option<Box<Self>>,
                },
                Self::load(id)
            ),
            true,
        ),
        (quote!(struct A(Box<Self>);, Self::load(id)), true),
    ] {
        assert_eq!(mentions_self(&body), mentioned, "{body}");
    }
}

#[test]
fn items_at_the_beginning() {
    for (body, begins) in [
        (quote!(use std::fmt::Write;, id), true),
        (
            quote!(
                #[derive(Debug)]
                struct Row {
                    id: i64,
                },
                id
            ),
            true,
        ),
        (quote!([1, 2].len()), false),
        (quote!(#[allow(unused)] let id = 1; use std::fmt; id), false),
        (quote!(used(id)), false),
    ] {
        assert_eq!(begins_with_item(&body), begins, "{body}");
    }
}

#[test]
fn variables_stand_alone() {
    for (expr, expected) in [
        (quote!(user), "user"),
        (quote!(Some(user.name.clone())), "Some user"),
        (quote!(User { id, name: title.to_owned(), ..*old }), "id title old"),
        (quote!(self.tenant.join(b)), "self b"),
        (quote!(users::get(a)), "a"),
        (quote!(format!("{a}-{b:>3}-{{{c}}}-{}", d.name)), "d a b c"),
        (quote!(|x| x + y), "x y"),
    ] {
        let names = variables(&syn::parse2(expr.clone()).unwrap());
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names.join(" "), expected, "{expr}");
    }
}

#[test]
fn variables_are_used() {
    for (expr, used) in [
        (quote!(user_key(&id)), true),
        (quote!(user_key(&format!("{id}"))), true),
        (quote!(id::user_key(&other)), false),
        (quote!(other.id), false),
        (quote!(Row { id }), true),
    ] {
        assert_eq!(uses(&syn::parse2(expr.clone()).unwrap(), "id"), used, "{expr}");
    }
    assert!(uses(&syn::parse2(quote!(self.cache)).unwrap(), "self"));
}

#[test]
fn fields_that_a_body_uses() {
    let body = quote! {
        let tenant = ctx.tenant; self.ctx.other; ctx.db();
        if ctx.locale.is_empty() { ctx.tenant } ctx.0;
        fn helper(ctx: &Ctx) { ctx.of_helper } ctx.map::<i64>(|it| it.x); 0..ctx.end
    };
    let name = syn::parse_quote!(ctx);
    let fields: Vec<_> = fields_of(&body, &name).iter().map(ToString::to_string).collect();
    assert_eq!(fields, ["tenant", "locale", "end"]);
}
