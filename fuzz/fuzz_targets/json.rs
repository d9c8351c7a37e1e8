#![no_main]

#[path = "../../tests/properties/json.rs"]
mod json;

libfuzzer_sys::fuzz_target!(|text: &str| json::holds(text));
