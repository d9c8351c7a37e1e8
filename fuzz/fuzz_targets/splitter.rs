#![no_main]

#[path = "../../tests/properties/splitter.rs"]
mod splitter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| splitter::holds(bytes));
