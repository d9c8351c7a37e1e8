#![no_main]

#[path = "../../tests/properties/framing.rs"]
mod framing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| framing::holds(bytes));
