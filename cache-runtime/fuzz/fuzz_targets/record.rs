//! The stored bytes of an entry.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cache_runtime::testing::fuzzing::record(data));
