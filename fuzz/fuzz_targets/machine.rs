#![no_main]

#[path = "../../tests/properties/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| machine::holds(bytes));
