//! A key template.

#![no_main]

#[expect(dead_code, reason = "the macros use what is read")]
#[path = "../../src/template/mod.rs"]
mod template;

libfuzzer_sys::fuzz_target!(|data: &[u8]| template::fuzzing::template(data));
