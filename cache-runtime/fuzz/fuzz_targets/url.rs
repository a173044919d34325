//! A connection URL.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cache_runtime::testing::fuzzing::url(data));
