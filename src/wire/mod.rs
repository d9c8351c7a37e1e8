//! Bytes in, values out: framings cut a side's bytes into messages, codecs make them values.
//!
//! Everything here is sans-I/O: it knows neither sockets nor captures nor a clock, takes slices and
//! times, and returns values. What comes from a peer is bounded in memory and never run.

mod fault;
pub mod pickle;
pub mod value;

pub use fault::{Fault, FaultKind};
pub use value::Value;
/// placeholder
pub struct Format;
