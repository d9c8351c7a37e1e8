//! Numbers and strings.

use num_bigint::BigInt;

use super::machine::{Machine, invalid_utf8};
use super::text;
use crate::wire::Fault;
use crate::wire::value::{Node, Span};

/// An integer beyond 64 bits has two allocations of its own.
const NODES_OF_A_LONG_INTEGER: usize = 4;

impl Machine<'_> {
    pub(super) fn long(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let node = match bytes.last() {
            None => Node::Int(0),
            Some(&last) if bytes.len() <= 8 => {
                // Two's complement: the sign goes on upwards.
                let fill = if last & 0x80 == 0 { 0 } else { -1i64 };
                Node::Int(
                    bytes.iter().rev().fold(fill, |value, &byte| value << 8 | i64::from(byte)),
                )
            }
            Some(_) => self.integer_node(BigInt::from_signed_bytes_le(bytes))?,
        };
        self.push_leaf(node)
    }

    pub(super) fn int_line(&mut self) -> Result<(), Fault> {
        match self.reader.line()? {
            b"00" => self.push_leaf(Node::Bool(false)),
            b"01" => self.push_leaf(Node::Bool(true)),
            line => self.integer(line),
        }
    }

    pub(super) fn long_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        self.integer(line.strip_suffix(b"L").unwrap_or(line))
    }

    pub(super) fn integer(&mut self, line: &[u8]) -> Result<(), Fault> {
        let integer = text::integer(line, self.limits.digits).map_err(|reason| match reason {
            Some(reason) => self.corrupt(reason),
            None => self
                .limit(format!("an integer of more than {} digits", self.limits.digits), "digits"),
        })?;
        let node = self.integer_node(integer)?;
        self.push_leaf(node)
    }

    #[inline]
    pub(super) fn unicode(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let span = self.value.store(bytes);
        if std::str::from_utf8(bytes).is_ok() {
            return self.push_leaf(Node::Str(span));
        }
        match text::check_surrogates(bytes) {
            Ok(()) => self.push_leaf(Node::Surrogates(span)),
            Err(at) => Err(invalid_utf8(self.reader.position() - bytes.len() + at)),
        }
    }

    pub(super) fn unicode_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        if line.is_ascii() && !line.contains(&b'\\') {
            let span = self.value.store(line);
            return self.push_leaf(Node::Str(span));
        }
        let text = text::raw_unicode_escape(line).map_err(|reason| self.corrupt(reason))?;
        self.spend_copies(text.len(), 0)?;
        let span = self.value.store(&text);
        let valid = std::str::from_utf8(&text).is_ok();
        self.push_leaf(if valid { Node::Str(span) } else { Node::Surrogates(span) })
    }

    pub(super) fn bytes(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let span = self.value.store(bytes);
        self.push_leaf(Node::Bytes(span))
    }

    /// A Python 2 `str`: text if it is ASCII, which most were, and bytes otherwise.
    pub(super) fn python2_string(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let span = self.value.store(bytes);
        self.push_python2(bytes.is_ascii(), span)
    }

    pub(super) fn string_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        let bytes = text::quoted_string(line).map_err(|reason| self.corrupt(reason))?;
        self.spend_copies(bytes.len(), 0)?;
        let span = self.value.store(&bytes);
        self.push_python2(bytes.is_ascii(), span)
    }

    fn push_python2(&mut self, ascii: bool, span: Span) -> Result<(), Fault> {
        self.push_leaf(if ascii { Node::Str(span) } else { Node::Bytes(span) })?;
        let string = self.top()?;
        self.provenance.python2_strings.push(string);
        Ok(())
    }

    fn integer_node(&mut self, integer: BigInt) -> Result<Node, Fault> {
        Ok(match i64::try_from(&integer) {
            Ok(small) => Node::Int(small),
            Err(_) => {
                self.spend_nodes(NODES_OF_A_LONG_INTEGER - 1)?;
                Node::BigInt(Box::new(integer))
            }
        })
    }
}
