#![no_main]

#[path = "../../tests/properties/packet.rs"]
mod packet;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match bytes.split_first() {
    Some((0..64, rest)) => packet::survives_fragments(rest),
    Some((_, rest)) => packet::holds(rest),
    None => {}
});
