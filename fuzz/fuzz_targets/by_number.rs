#![no_main]

#[path = "../../tests/properties/by_number.rs"]
mod by_number;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| by_number::holds(bytes));
