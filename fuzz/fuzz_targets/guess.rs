#![no_main]

#[path = "../../tests/properties/guess.rs"]
mod guess;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guess::holds(bytes));
