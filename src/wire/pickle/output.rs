//! A pickle's bytes with the frames of PEP 3154 around them, cut where CPython's pickler cuts.

use super::opcode::{FRAME, PROTO};

/// A frame is closed when it has so many bytes, and strings so long stand outside of frames.
const FRAME_TARGET: usize = 64 << 10;
/// A shorter piece gets no frame.
const FRAME_MINIMUM: usize = 4;
const FRAME_HEADER: usize = 9;

pub(super) struct Output {
    bytes: Vec<u8>,
    framing: bool,
    /// Where the header of the open frame is.
    frame: Option<usize>,
}

impl Output {
    pub(super) fn new(protocol: u8) -> Output {
        let mut bytes = Vec::new();
        if protocol >= 2 {
            bytes.extend([PROTO, protocol]);
        }
        Output { bytes, framing: protocol >= 4, frame: None }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.open();
        self.bytes.extend_from_slice(bytes);
    }

    /// An opcode and its argument.
    pub(super) fn write_parts(&mut self, header: &[u8], argument: &[u8]) {
        self.open();
        self.bytes.extend_from_slice(header);
        self.bytes.extend_from_slice(argument);
    }

    /// An opcode and a string; a long one ends the frame and stands outside.
    pub(super) fn write_payload(&mut self, header: &[u8], payload: &[u8]) {
        if payload.len() >= FRAME_TARGET {
            self.close();
        } else {
            self.open();
        }
        self.bytes.extend_from_slice(header);
        self.bytes.extend_from_slice(payload);
    }

    /// Here a frame may end: before a value.
    pub(super) fn boundary(&mut self) {
        if self.frame.is_some_and(|start| self.bytes.len() - start - FRAME_HEADER >= FRAME_TARGET) {
            self.close();
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.close();
        self.bytes
    }

    fn open(&mut self) {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.bytes.len());
            self.bytes.extend([0; FRAME_HEADER]);
        }
    }

    fn close(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let body = start + FRAME_HEADER;
        let length = self.bytes.len() - body;
        if length < FRAME_MINIMUM {
            self.bytes.drain(start..body);
            return;
        }
        self.bytes[start] = FRAME;
        self.bytes[start + 1..body].copy_from_slice(&(length as u64).to_le_bytes());
    }
}
