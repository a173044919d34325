//! `batch(id in ids, chunk = 500, concurrent = 2)`

use proc_macro2::Group;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Token, token};

use super::each::{self, Each};
use super::value::count;
use super::{Known, Name};

const KNOWN: &Known = &[
    ("chunk", "batch(id in ids, chunk = 500)"),
    ("concurrent", "batch(id in ids, chunk = 500, concurrent = 2)"),
];

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

impl BatchArg {
    /// What follows the word.
    pub(super) fn after(word: &Name, input: ParseStream<'_>) -> syn::Result<Self> {
        let each = word.ident.clone();
        if !input.peek(token::Paren) {
            return Err(Error::new(each.span(), each::MALFORMED));
        }
        let inside: Group = input.parse()?;
        let span = inside.span();
        let parser = |inside: ParseStream<'_>| {
            let each = Each::inside(each, inside).map_err(|_| Error::new(span, each::MALFORMED))?;
            let mut arg = Self { each, chunk: None, concurrent: None };
            while !inside.is_empty() {
                // What else follows is no collection.
                inside.parse::<Token![,]>().map_err(|_| Error::new(span, each::MALFORMED))?;
                if !inside.is_empty() {
                    arg.option(inside)?;
                }
            }
            Ok(arg)
        };
        parser.parse2(inside.stream())
    }

    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name = Name::parse(input, KNOWN)?;
        let (slot, number) = if name.text == "chunk" {
            let what = "how many ids the body is given at once";
            (&mut self.chunk, count(&name, input, what, LARGEST_CHUNK)?)
        } else {
            let what = "how many chunks are loaded at once";
            (&mut self.concurrent, count(&name, input, what, MOST_CONCURRENT)?)
        };
        if slot.replace(number).is_some() {
            return Err(name.error(format!("`{}` is given twice; keep one", name.text)));
        }
        Ok(())
    }
}
