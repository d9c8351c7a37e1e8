//! The opcodes of protocols 0 to 5: codes, names, and what argument follows each in the stream.
//!
//! Source: CPython's `Lib/pickletools.py`, which is the format's reference.

/// What follows an opcode, packed in a byte so that the splitter's table stays in one cache line
/// group: up to [`FIXED_MAX`] that many bytes, above it one of the other constants.
pub(super) type Argument = u8;

/// The longest argument of a fixed length.
pub(super) const FIXED_MAX: Argument = 8;
/// The longest opcode whose argument has a fixed length, with that.
pub(super) const LONGEST: usize = 1 + FIXED_MAX as usize;
/// One length byte, then as many bytes.
pub(super) const LENGTH_1: Argument = 9;
/// Four length bytes, unsigned, then as many bytes.
pub(super) const LENGTH_4: Argument = 10;
/// Four length bytes, signed and never negative, then as many bytes.
pub(super) const SIGNED_LENGTH_4: Argument = 11;
/// Eight length bytes, then as many bytes.
pub(super) const LENGTH_8: Argument = 12;
/// Text up to a newline.
pub(super) const LINE: Argument = 13;
/// Two texts, each up to a newline.
pub(super) const TWO_LINES: Argument = 14;
/// The protocol's number, one byte.
pub(super) const PROTOCOL: Argument = 15;
/// A frame's length, eight bytes (PEP 3154).
pub(super) const FRAME_LENGTH: Argument = 16;
/// Nothing, and nothing after it.
pub(super) const END: Argument = 17;
/// No opcode has this code.
pub(super) const UNKNOWN: Argument = 18;

macro_rules! opcodes {
    ($($name:ident = $code:literal, $argument:expr;)*) => {
        $(pub(super) const $name: u8 = $code;)*

        /// The argument of every opcode.
        pub(super) static ARGUMENTS: [Argument; 256] = {
            let mut table = [UNKNOWN; 256];
            $(table[$code as usize] = $argument;)*
            table
        };

        /// The name `pickletools` gives an opcode; `None` if there is no such opcode.
        pub fn opcode_name(opcode: u8) -> Option<&'static str> {
            match opcode {
                $($code => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

opcodes! {
    MARK = b'(', 0;
    STOP = b'.', END;
    POP = b'0', 0;
    POP_MARK = b'1', 0;
    DUP = b'2', 0;
    BINBYTES = b'B', LENGTH_4;
    SHORT_BINBYTES = b'C', LENGTH_1;
    FLOAT = b'F', LINE;
    BINFLOAT = b'G', 8;
    INT = b'I', LINE;
    BININT = b'J', 4;
    BININT1 = b'K', 1;
    LONG = b'L', LINE;
    BININT2 = b'M', 2;
    NONE = b'N', 0;
    PERSID = b'P', LINE;
    BINPERSID = b'Q', 0;
    REDUCE = b'R', 0;
    STRING = b'S', LINE;
    BINSTRING = b'T', SIGNED_LENGTH_4;
    SHORT_BINSTRING = b'U', LENGTH_1;
    UNICODE = b'V', LINE;
    BINUNICODE = b'X', LENGTH_4;
    EMPTY_LIST = b']', 0;
    APPEND = b'a', 0;
    BUILD = b'b', 0;
    GLOBAL = b'c', TWO_LINES;
    DICT = b'd', 0;
    APPENDS = b'e', 0;
    GET = b'g', LINE;
    BINGET = b'h', 1;
    INST = b'i', TWO_LINES;
    LONG_BINGET = b'j', 4;
    LIST = b'l', 0;
    OBJ = b'o', 0;
    PUT = b'p', LINE;
    BINPUT = b'q', 1;
    LONG_BINPUT = b'r', 4;
    SETITEM = b's', 0;
    TUPLE = b't', 0;
    SETITEMS = b'u', 0;
    EMPTY_DICT = b'}', 0;
    EMPTY_TUPLE = b')', 0;
    PROTO = 0x80, PROTOCOL;
    NEWOBJ = 0x81, 0;
    EXT1 = 0x82, 1;
    EXT2 = 0x83, 2;
    EXT4 = 0x84, 4;
    TUPLE1 = 0x85, 0;
    TUPLE2 = 0x86, 0;
    TUPLE3 = 0x87, 0;
    NEWTRUE = 0x88, 0;
    NEWFALSE = 0x89, 0;
    LONG1 = 0x8a, LENGTH_1;
    LONG4 = 0x8b, SIGNED_LENGTH_4;
    SHORT_BINUNICODE = 0x8c, LENGTH_1;
    BINUNICODE8 = 0x8d, LENGTH_8;
    BINBYTES8 = 0x8e, LENGTH_8;
    EMPTY_SET = 0x8f, 0;
    ADDITEMS = 0x90, 0;
    FROZENSET = 0x91, 0;
    NEWOBJ_EX = 0x92, 0;
    STACK_GLOBAL = 0x93, 0;
    MEMOIZE = 0x94, 0;
    FRAME = 0x95, FRAME_LENGTH;
    BYTEARRAY8 = 0x96, LENGTH_8;
    NEXT_BUFFER = 0x97, 0;
    READONLY_BUFFER = 0x98, 0;
}

/// An opcode as words: its name, or its code in hexadecimal.
pub(super) fn describe(opcode: u8) -> String {
    match opcode_name(opcode) {
        Some(name) => name.to_owned(),
        None => format!("opcode 0x{opcode:02x}"),
    }
}

/// How many bytes the length takes that precedes an argument; 0 if none does.
pub(super) fn prefix_width(argument: Argument) -> usize {
    match argument {
        LENGTH_1 | PROTOCOL => 1,
        LENGTH_4 | SIGNED_LENGTH_4 => 4,
        LENGTH_8 | FRAME_LENGTH => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_68_opcodes_and_each_has_a_name_and_an_argument() {
        let known = (0..=255u8).filter(|&code| ARGUMENTS[code as usize] != UNKNOWN);
        assert_eq!(known.clone().count(), 68);
        assert!(known.clone().all(|code| opcode_name(code).is_some()));
        assert_eq!(opcode_name(0x94), Some("MEMOIZE"));
        assert_eq!(opcode_name(0xff), None);
    }
}
