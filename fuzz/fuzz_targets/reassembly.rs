#![no_main]

#[path = "../../tests/properties/reassembly.rs"]
mod reassembly;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reassembly::holds(bytes));
