//! Numbers and strings as opcodes, and the calls that older protocols write for some.

use num_bigint::BigInt;

use super::emit::{Emitter, refuse};
use super::opcode::*;
use super::text;
use crate::Result;

/// What CPython reads of an integer as text.
const TEXT_DIGITS: usize = 4_300;

impl Emitter<'_> {
    pub(super) fn integer(&mut self, integer: i64) {
        let small = i32::try_from(integer);
        match (self.protocol, integer, small) {
            (0, _, Ok(small)) => self.output.write(format!("I{small}\n").as_bytes()),
            (_, 0..=0xff, _) => self.output.write(&[BININT1, integer as u8]),
            (_, 0..=0xffff, _) => {
                self.output.write_parts(&[BININT2], &(integer as u16).to_le_bytes());
            }
            (_, _, Ok(small)) => self.output.write_parts(&[BININT], &small.to_le_bytes()),
            (0 | 1, _, Err(_)) => self.output.write(format!("L{integer}L\n").as_bytes()),
            (_, _, Err(_)) => {
                let bytes = BigInt::from(integer).to_signed_bytes_le();
                self.output.write_parts(&[LONG1, bytes.len() as u8], &bytes);
            }
        }
    }

    pub(super) fn big_integer(&mut self, integer: &BigInt) -> Result<()> {
        if self.protocol < 2 {
            // Ten bits are more than three digits: what has more than this is not spelt out at all.
            let too_long = || {
                let limit = format!("integers of at most {TEXT_DIGITS} digits");
                refuse(format!("protocol {} has {limit}; use 2 or higher", self.protocol))
            };
            if integer.bits() > TEXT_DIGITS as u64 * 10 / 3 {
                return Err(too_long());
            }
            let text = integer.to_string();
            if text.trim_start_matches('-').len() > TEXT_DIGITS {
                return Err(too_long());
            }
            self.output.write(format!("L{text}L\n").as_bytes());
            return Ok(());
        }
        let bytes = integer.to_signed_bytes_le();
        match (u8::try_from(bytes.len()), i32::try_from(bytes.len())) {
            (Ok(length), _) => self.output.write_parts(&[LONG1, length], &bytes),
            (_, Ok(length)) => {
                self.output.write_parts(&[LONG4], &length.to_le_bytes());
                self.output.write(&bytes);
            }
            _ => return Err(refuse("an integer of more than 2 GiB")),
        }
        Ok(())
    }

    pub(super) fn text(&mut self, text: &[u8]) -> Result<()> {
        if text::check_surrogates(text).is_err() {
            return Err(refuse("a text that is not UTF-8"));
        }
        if self.protocol == 0 {
            let mut line = vec![UNICODE];
            text::push_raw_unicode_escape(&mut line, text);
            line.push(b'\n');
            self.output.write(&line);
            return Ok(());
        }
        match u8::try_from(text.len()) {
            Ok(length) if self.protocol >= 4 => {
                self.output.write_parts(&[SHORT_BINUNICODE, length], text);
            }
            _ => self.counted(BINUNICODE, text),
        }
        Ok(())
    }

    /// An argument behind a length of four bytes: an arena's strings are never longer.
    fn counted(&mut self, opcode: u8, bytes: &[u8]) {
        let mut header = vec![opcode];
        header.extend((bytes.len() as u32).to_le_bytes());
        self.output.write_payload(&header, bytes);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol >= 3 {
            match u8::try_from(bytes.len()) {
                Ok(length) => self.output.write_parts(&[SHORT_BINBYTES, length], bytes),
                Err(_) => self.counted(BINBYTES, bytes),
            }
            return Ok(());
        }
        if bytes.is_empty() {
            self.constructor("bytes");
            self.empty(EMPTY_TUPLE, TUPLE);
            self.output.write(&[REDUCE]);
            return Ok(());
        }
        self.constructor("encode");
        if self.protocol < 2 {
            self.output.write(&[MARK]);
        }
        let latin1: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        self.text(latin1.as_bytes())?;
        self.put();
        match self.constants.get("latin1") {
            Some(&index) => self.fetch(index),
            None => {
                self.text(b"latin1")?;
                let index = self.put();
                self.constants.insert("latin1", index);
            }
        }
        self.output.write(&[if self.protocol < 2 { TUPLE } else { TUPLE2 }]);
        self.put();
        self.output.write(&[REDUCE]);
        Ok(())
    }

    pub(super) fn byte_array(&mut self, bytes: &[u8]) -> Result<()> {
        if self.protocol >= 5 {
            let mut header = vec![BYTEARRAY8];
            header.extend((bytes.len() as u64).to_le_bytes());
            self.output.write_payload(&header, bytes);
            return Ok(());
        }
        self.constructor("bytearray");
        if bytes.is_empty() {
            self.empty(EMPTY_TUPLE, TUPLE);
        } else {
            if self.protocol < 2 {
                self.output.write(&[MARK]);
            }
            self.output.boundary();
            self.bytes(bytes)?;
            self.put();
            self.output.write(&[if self.protocol < 2 { TUPLE } else { TUPLE1 }]);
            self.put();
        }
        self.output.write(&[REDUCE]);
        Ok(())
    }

    /// A reference to what makes plain data, by the name it has at this protocol.
    pub(super) fn constructor(&mut self, name: &'static str) {
        if let Some(&index) = self.constants.get(name) {
            self.fetch(index);
            return;
        }
        let module = match (name, self.protocol) {
            ("encode", _) => "_codecs",
            (_, ..3) => "__builtin__",
            _ => "builtins",
        };
        if self.protocol < 4 {
            self.output.write(format!("c{module}\n{name}\n").as_bytes());
        } else {
            for text in [module, name] {
                self.output.write_parts(&[SHORT_BINUNICODE, text.len() as u8], text.as_bytes());
                self.put();
            }
            self.output.write(&[STACK_GLOBAL]);
        }
        let index = self.put();
        self.constants.insert(name, index);
    }
}
