//! Rules for `#[write_behind]`.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{GenericParam, ReturnType, Type};

use super::{is_always_there, is_async, pooled};
use crate::attr::write_behind::Merge;
use crate::diagnostics::Diagnostics;
use crate::model::{Flavor, Kept, WriteBehind};
use crate::types::Open;
use crate::{syntax, types};

pub(crate) fn write_behind(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    is_async(&model.scope, &model.flavor, diagnostics);
    queue_is_named(model, diagnostics);
    stands_alone(model, diagnostics);
    is_not_generic(model, diagnostics);
    takes_a_batch(model, diagnostics);
    worker_can_keep_the_rest(model, diagnostics);
    returns_whether_it_succeeded(model, diagnostics);
    key_is_there_where_needed(model, diagnostics);
    kind_is_of_an_error(model, diagnostics);
    is_always_there(&model.scope, |_| true, diagnostics);
}

/// ```text
/// #[write_behind(batch = 500)]
/// ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ which queue?
/// ```
fn queue_is_named(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    if !model.args.queue.is_given() && !model.args.skipped {
        diagnostics.error(
            Span::call_site(),
            "`queue` is missing: under which name do all processes find the items? \
             write `queue = \"page-views\"`",
        );
    }
}

/// ```text
/// async fn save_views(&self, views: Vec<PageView>) -> Result<(), Error>
///                     ^^^^^ whose? the worker has none
/// ```
fn stands_alone(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    let sig = &model.scope.function.sig;
    if let Flavor::Boxed { .. } = model.flavor {
        diagnostics.error(
            sig.ident.span(),
            "a method of an `#[async_trait]` has no room for a queue beside it; \
             write a function of its own that calls it",
        );
    } else if let Some(receiver) = sig.receiver() {
        diagnostics.error_at(
            receiver,
            "a sink is called by its worker, which has no `self`; write a function that takes what \
             it needs as parameters, such as `db: &PgPool`",
        );
    }
}

/// ```text
/// async fn save<T: Row>(db: &PgPool, rows: Vec<T>) -> Result<(), Error>
///               ^ one queue for all of them?
/// ```
fn is_not_generic(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    for parameter in &model.scope.function.sig.generics.params {
        let name = match parameter {
            GenericParam::Type(parameter) => &parameter.ident,
            GenericParam::Const(parameter) => &parameter.ident,
            GenericParam::Lifetime(_) => continue,
        };
        diagnostics.error(
            name.span(),
            format!("a queue holds items of one type, and has one sink; write a type for `{name}`"),
        );
    }
}

/// ```text
/// async fn save_view(db: &PgPool, view: PageView) -> Result<(), Error>
///                                 ^^^^^^^^^^^^^^ one at a time?
/// ```
fn takes_a_batch(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    let sig = &model.scope.function.sig;
    let Some(batch) = &model.batch else {
        let message = "the last parameter of a sink is the batch it is given: write \
                       `views: Vec<PageView>`, or `views: Batch<PageView>`, with your type";
        match sig.inputs.last() {
            Some(last) => diagnostics.error_at(last, message),
            None => diagnostics.error(sig.paren_token.span.join(), message),
        };
        return;
    };
    if types::is_opaque(batch.item) || matches!(batch.item, Type::Infer(_)) {
        diagnostics.error_at(
            batch.item,
            "items are stored and read back, so their type must have a name; write it here",
        );
    } else if types::borrows(batch.item) {
        diagnostics.error_at(
            batch.item,
            "items are read back from the queue and borrow from nothing; \
             use an owned type, such as `String` for `&str`",
        );
    }
}

/// ```text
/// async fn save_views(tx: &mut Transaction<'_, Postgres>, views: Vec<PageView>) { .. }
///                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ where from, for the second batch?
/// ```
fn worker_can_keep_the_rest(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    for kept in &model.environment {
        let open = model.scope.open(kept.ty).filter(|_| !model.args.pooled.is_given());
        if let Some(open) = open {
            let what = kept.name.map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
            let ends = match open {
                Open::Transaction | Open::Connection => "ends with its transaction",
                Open::Either => "may be a transaction, which ends",
            };
            diagnostics.error_at(
                kept.ty,
                format!(
                    "{what} {ends}, but the sink is called again and again; take the pool, and \
                     begin a transaction for each batch in the body, {}",
                    pooled(open)
                ),
            );
        } else if let Some(problem) = cannot_be_kept(kept) {
            diagnostics.error_at(kept.ty, problem);
        }
    }
}

fn cannot_be_kept(kept: &Kept<'_>) -> Option<String> {
    let Some(name) = kept.name else {
        return Some(
            "the worker keeps this argument, under its name; give the parameter a name and take it \
             apart in the body"
                .to_owned(),
        );
    };
    let ty = kept.referent.unwrap_or(kept.ty);
    Some(match syntax::peel(kept.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => format!(
            "the worker cannot lend `{name}` mutably, as batches of several partitions are written \
             at once; take a handle that can be cloned, such as a pool or an `Arc<Mutex<_>>`"
        ),
        _ if types::is_object(ty) => {
            let object = ty.to_token_stream();
            format!(
                "the worker keeps a copy of `{name}`, and a trait object cannot be copied; \
                 write `{name}: Arc<{object}>`"
            )
        }
        _ if types::is_opaque(ty) => format!(
            "the worker keeps `{name}`, so its type must have a name; write the type instead of \
             `impl`"
        ),
        _ if types::may_end(ty) => format!(
            "the worker outlives what `{name}` borrows from; take an owned type, such as `String` \
             or an `Arc`"
        ),
        _ => return None,
    })
}

/// ```text
/// async fn save_views(db: &PgPool, views: Vec<PageView>) -> Result<u64, Error>
///                                                                  ^^^ who would read it?
/// ```
fn returns_whether_it_succeeded(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    let ty = &model.flavor.output().ty;
    let success = types::stored(ty);
    let is_unit = matches!(syntax::peel(success), Type::Tuple(tuple) if tuple.elems.is_empty());
    if !is_unit && (types::spells_result(ty) || types::is_data(ty)) {
        diagnostics.error(
            success.span(),
            "nobody reads what a sink returns but whether it succeeded; \
             return `Result<(), E>`, or nothing if it cannot fail",
        );
    }
}

/// ```text
/// #[write_behind(queue = "page-views", merge = PageView::add)]
///                                      ^^^^^ which ones?
/// ```
fn key_is_there_where_needed(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    let args = model.args;
    if args.key.is_given() || args.skipped {
        return;
    }
    if let Ok(Some(Merge::By(merge))) = args.merge.get() {
        diagnostics.error_at(
            merge,
            "`merge` says what becomes of items of one key: give a `key` too, \
             such as `key = \"<view.page>\"`",
        );
    }
    for put in args.puts.iter().flatten().flatten() {
        diagnostics.error_at(
            &put.target,
            "`put` needs the order and the name that `key` gives to items: \
             write `key = \"<view.page>\"`, for example",
        );
    }
}

/// ```text
/// #[write_behind(queue = "page-views", error_kind = kind_of)]
///                                                   ^^^^^^^ of what?
/// async fn save_views(db: &PgPool, views: Vec<PageView>) { .. }
/// ```
fn kind_is_of_an_error(model: &WriteBehind<'_>, diagnostics: &Diagnostics) {
    let returns_nothing = matches!(model.scope.function.sig.output, ReturnType::Default);
    if let (true, Ok(Some(kind))) = (returns_nothing, model.args.error_kind.get()) {
        diagnostics.error_at(
            kind,
            "`error_kind` says of which kind the sink's error is, and this sink returns none; \
             let it return `Result<(), E>`",
        );
    }
}
