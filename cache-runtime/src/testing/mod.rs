//! Tests of the whole: a simulated world, the agreement of the stores, fuzzing.

#[cfg(test)]
mod agreement;
#[cfg(test)]
pub(crate) mod faulty_store;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
#[expect(
    clippy::allow_attributes,
    unused_imports,
    reason = "lints look into expansions in the crate that the macros are from"
)]
pub(crate) mod simulation;
