#![no_main]

#[path = "../../tests/properties/reader.rs"]
mod reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reader::holds(bytes));
