//! The generics of a function that another signature needs.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{GenericParam, Generics, WhereClause, WherePredicate};

use crate::syntax;

// Input:
//     <'a, E: Executor<'a>, T, K> where T: Entity<K>, E::Row: Sync
//     id: &i64 .. Key<T>
//
// Output:
//     <T, K> where T: Entity<K>
pub(super) fn needed(generics: &Generics, signature: &TokenStream) -> Generics {
    let all: HashSet<_> = generics.params.iter().map(name).cloned().collect();
    let used = |syntax: &dyn ToTokens| -> HashSet<Ident> {
        let names = syntax::idents(syntax.to_token_stream());
        names.into_iter().filter(|name| all.contains(name)).collect()
    };
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);

    // Whoever needs the first names needs the second ones too.
    let of_params = generics.params.iter().map(|it| (HashSet::from([name(it).clone()]), used(it)));
    let of_predicates = predicates.clone().map(|it| (used(subject(it)), used(it)));
    let links: Vec<_> = of_params.chain(of_predicates).collect();

    let mut names = used(signature);
    loop {
        let before = names.len();
        for (first, more) in &links {
            if !first.is_disjoint(&names) {
                names.extend(more.iter().cloned());
            }
        }
        if names.len() == before {
            break;
        }
    }

    let params = generics.params.iter().filter(|param| names.contains(name(param))).cloned();
    let kept = |predicate: &&WherePredicate| !used(subject(predicate)).is_disjoint(&names);
    let predicates = predicates.filter(kept).cloned().collect();
    let where_clause =
        generics.where_clause.as_ref().map(|it| WhereClause { predicates, ..it.clone() });
    Generics { params: params.collect(), where_clause, ..Generics::default() }
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Lifetime(param) => &param.lifetime.ident,
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
    }
}

/// What a predicate says something about.
fn subject(predicate: &WherePredicate) -> &dyn ToTokens {
    match predicate {
        WherePredicate::Type(predicate) => &predicate.bounded_ty,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn bounds_are_followed() {
        let mut generics: Generics = parse_quote!(<'a, E: Executor<'a>, T, K, U: From<T>>);
        generics.where_clause = Some(parse_quote!(where T: Entity<K>, E::Row: Sync, Vec<T>: Sized));
        let kept = needed(&generics, &quote!(id: &i64, Key<T>));
        let where_clause = &kept.where_clause;
        assert_eq!(
            quote!(#kept #where_clause).to_string(),
            quote!(<T, K> where T: Entity<K>, Vec<T>: Sized).to_string()
        );
    }
}
