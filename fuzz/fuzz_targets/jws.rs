//! `jws` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| acme_fuzz_parsers::jws(data));
