//! What a return type is made of.

use syn::{GenericArgument, Path, PathArguments, Type, TypeParamBound};

use super::is_one_of;
use crate::syntax::{arguments, last_segment, peel};

/// Types that are no alias of `Result`.
const PLAIN: &[&str] = &[
    "Arc", "BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "String", "Vec", "bool",
    "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16", "u32", "u64",
    "u8", "usize",
];

/// Whether the last name is of a type that is certain to be no `Result`.
pub(crate) fn is_plain(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| is_one_of(segment, PLAIN))
}

/// Whether the last name is, or ends in, `Result`, and has arguments: `sqlx::Result<T>`.
pub(crate) fn spells_result(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| {
        segment.ident.to_string().ends_with("Result") && arguments(segment).next().is_some()
    })
}

/// What is stored, as far as its spelling shows: `T` of `Result<T, ..>`, else all of it.
pub(crate) fn stored(ty: &Type) -> &Type {
    let segment = last_segment(ty).filter(|_| spells_result(ty));
    segment.and_then(|segment| arguments(segment).next()).unwrap_or(ty)
}

/// `E` of `Result<T, E>`, as far as its spelling shows.
pub(crate) fn error(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|_| spells_result(ty))?;
    arguments(segment).nth(1)
}

/// `V` of `HashMap<Id, V>`, `BTreeMap<Id, V>` or `Vec<(Id, V)>`.
pub(crate) fn of_each(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    if is_one_of(segment, &["HashMap", "BTreeMap"]) {
        return arguments(segment).nth(1);
    }
    match peel(argument_of(ty, "Vec")?) {
        Type::Tuple(pair) if pair.elems.len() == 2 => pair.elems.last(),
        _ => None,
    }
}

/// `Box` and `R` of `Pin<Box<dyn Future<Output = R> + ..>>`, which `#[async_trait]` makes of an
/// `async fn`.
pub(crate) fn boxed_output(ty: &Type) -> Option<(Path, &Type)> {
    let boxed = argument_of(ty, "Pin")?;
    let Type::TraitObject(object) = argument_of(boxed, "Box")? else {
        return None;
    };
    let output = object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments
        else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })?;
    let Type::Path(boxed) = peel(boxed) else {
        return None;
    };
    let mut boxed = boxed.path.clone();
    boxed.segments.last_mut()?.arguments = PathArguments::None;
    Some((boxed, output))
}

/// `A` of `name<A>`.
fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    arguments(segment).next()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::parse_str;

    use super::*;

    #[test]
    fn results_by_spelling() {
        for (ty, value) in [
            ("Result<User, Error>", "User"),
            ("sqlx::Result<Vec<User>>", "Vec < User >"),
            ("AppResult<User>", "User"),
            ("SearchResult", "SearchResult"),
            ("Option<User>", "Option < User >"),
        ] {
            let ty = parse_str(ty).unwrap();
            assert_eq!(stored(&ty).to_token_stream().to_string(), value);
        }
    }

    #[test]
    fn boxed_futures() {
        let ty = "::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<User, E>> + Send \
                  + 'a>>";
        let ty = parse_str(ty).unwrap();
        let (boxed, output) = boxed_output(&ty).unwrap();
        assert_eq!(boxed.to_token_stream().to_string(), "Box");
        assert_eq!(output.to_token_stream().to_string(), "Result < User , E >");
        for ty in ["Box<dyn Future<Output = i64>>", "Pin<Box<User>>", "impl Future<Output = i64>"] {
            assert!(boxed_output(&parse_str(ty).unwrap()).is_none(), "{ty}");
        }
    }
}
