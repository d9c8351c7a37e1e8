#![no_main]

#[path = "../../tests/properties/detect.rs"]
mod detect;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| detect::holds(bytes));
