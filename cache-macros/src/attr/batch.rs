//! `batch(id in ids, chunk = 500, concurrent = 2)`

use proc_macro2::Group;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Token, token};

use super::argument::Slot;
use super::each::{self, Each};
use super::name::Name;
use super::options::options;
use super::value::count;
use crate::diagnostics::collect;

/// The largest chunk. A larger one is as good as none.
const LARGEST_CHUNK: u32 = 1_000_000;
/// The most chunks at once. Each is a run of the body, with a connection of its own, perhaps.
const MOST_CONCURRENT: u32 = 1_000;

/// Many entries read in one call.
pub(crate) struct BatchArg {
    pub(crate) each: Each,
    /// How many ids one run of the body is given at most.
    pub(crate) chunk: Option<u32>,
    /// How many runs of the body there are at once.
    pub(crate) concurrent: Option<u32>,
}

options! {
    /// What may follow `id in ids`.
    struct Chunks {
        chunk: Slot<u32> = ("chunk", "batch(id in ids, chunk = 500)", chunk);
        concurrent: Slot<u32> =
            ("concurrent", "batch(id in ids, chunk = 500, concurrent = 2)", concurrent);
    }
}

impl BatchArg {
    /// What follows the word.
    pub(super) fn after(word: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        let each = word.ident.clone();
        if !input.peek(token::Paren) {
            return Err(Error::new(each.span(), each::MALFORMED));
        }
        let inside: Group = input.parse()?;
        let span = inside.span();
        let malformed = |_| Error::new(span, each::MALFORMED);
        let parser = |inside: ParseStream<'_>| {
            let each = Each::inside(each, inside).map_err(malformed)?;
            collect(|diagnostics| {
                let mut chunks = Chunks::default();
                while !inside.is_empty() {
                    // What else follows is no collection.
                    let comma = inside.parse::<Token![,]>().map_err(malformed);
                    comma.map_err(|error| diagnostics.report(error))?;
                    if !inside.is_empty() {
                        Chunks::OPTIONS.read(&mut chunks, inside, diagnostics)?;
                    }
                }
                let Chunks { chunk, concurrent } = chunks;
                let (chunk, concurrent) = (chunk.into_value()?, concurrent.into_value()?);
                Ok(Self { each, chunk, concurrent })
            })
        };
        parser.parse2(inside.stream())
    }
}

fn chunk(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    count(name, input, "how many ids the body is given at once", LARGEST_CHUNK)
}

fn concurrent(name: &Name, input: ParseStream<'_>) -> syn::Result<u32> {
    count(name, input, "how many chunks are loaded at once", MOST_CONCURRENT)
}
