//! What rustc says about every mistake that can be found at compile time.
//!
//! `TRYBUILD=overwrite cargo test --test compile` writes the messages anew; read them before you
//! commit them.

#[test]
fn mistakes() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
