//! Values as tagged JSON, and back; iterative both ways, so that no nesting is too deep.
//!
//! `None`, truth values, text, lists, floats and integers up to ±2^53 are themselves, and so are
//! mappings whose keys are text that does not begin with `$`. A float always carries a point or an
//! exponent, an integer never does. The rest is tagged:
//!
//! | form | value |
//! | --- | --- |
//! | `{"$tuple":[…]}` `{"$set":[…]}` `{"$frozenset":[…]}` | sequences beside lists |
//! | `{"$bytes":"base64"}` `{"$bytearray":"base64"}` | bytes |
//! | `{"$int":"123…"}` | an integer beyond ±2^53; one of more than 14,000 bits in hex: `"0x1f…"`, `"-0x1f…"` |
//! | `{"$float":"nan"}` `"inf"` `"-inf"` | what JSON cannot write as a number |
//! | `{"$str":"base64"}` | text with lone surrogates: UTF-8 with the surrogates passed |
//! | `{"$dict":[[k,v],…]}` | a mapping with any other keys |
//! | `{"$object":{…}}` | something that only running code could build |
//! | `{"$id":n,"value":…}` then `{"$ref":n}` | a container or bytearray that occurs more than once, or in itself |
//!
//! An `$object` has what is asked for under one of these keys:
//!
//! - `"class":"module.Name"`; where the name has dots itself, `"module":"module"` says which part is the module;
//! - `"computed":value`: what the value yields is called; `"persistent":value`: the receiver's object of this id;
//! - `"extension":n`: a code of `copyreg`'s registry; `"buffer":n`: an out-of-band buffer by its order;
//!
//! and beside it, each where there is any: `"args":[…]` (absent from a bare reference, which calls
//! nothing), `"kwargs":[[name,value],…]`, `"state":value`, `"items":[…]` (appended), `"entries":[[k,v],…]` (set).
//!
//! Where the same leaves (text, bytes, integers, names) again and again would take more than 16 MiB,
//! those of more than 16 bytes are written once and referred to like containers.
//!
//! Control characters, line separators and the characters that reorder text are written as `\u`
//! escapes, so that a line of JSON is safe to show.

mod occurrences;
mod pieces;
mod reader;
mod writer;

pub use writer::{write, write_float, write_string};

pub(super) use pieces::Pieces;
pub(crate) use writer::write_integer;
pub(super) use writer::write_node;

use super::Value;
use crate::{Error, Result};

/// The value as one line of tagged JSON.
///
/// ```
/// use wirespool::wire::{Value, json};
///
/// assert_eq!(json::to_string(&Value::bytes(b"\x01")), r#"{"$bytes":"AQ=="}"#);
/// ```
pub fn to_string(value: &Value) -> String {
    let mut json = String::new();
    write(value, &mut json);
    json
}

/// The value that `text`, tagged JSON, says.
///
/// # Errors
/// [`Error::Value`] with the place in the text or in the value, for what is no JSON, a tag that is
/// not made so, and a key that stands twice.
pub fn parse(text: &str) -> Result<Value> {
    read(text).map_err(|reason| Error::Value { format: "a value".to_owned(), reason })
}

/// As [`parse`], for callers that know what the value is for.
pub(super) fn read(text: &str) -> std::result::Result<Value, String> {
    reader::read(text)
}
