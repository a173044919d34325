//! What a server sends.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cache_runtime::testing::fuzzing::reply(data));
