//! Blocks of pcapng, written independently of the code under test.

/// Writes blocks in one byte order.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Little,
    Big,
}

pub use Order::{Big, Little};

pub const SECTION: u32 = 0x0a0d_0d0a;
pub const INTERFACE: u32 = 1;
pub const OLD_PACKET: u32 = 2;
pub const SIMPLE_PACKET: u32 = 3;
pub const STATISTICS: u32 = 5;
pub const PACKET: u32 = 6;

impl Order {
    pub fn u16(self, value: u16) -> Vec<u8> {
        match self {
            Little => value.to_le_bytes().to_vec(),
            Big => value.to_be_bytes().to_vec(),
        }
    }

    pub fn u32(self, value: u32) -> Vec<u8> {
        match self {
            Little => value.to_le_bytes().to_vec(),
            Big => value.to_be_bytes().to_vec(),
        }
    }

    pub fn u64(self, value: u64) -> Vec<u8> {
        match self {
            Little => value.to_le_bytes().to_vec(),
            Big => value.to_be_bytes().to_vec(),
        }
    }

    pub fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }

    /// A block of any kind.
    pub fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let length = (12 + body.len().next_multiple_of(4)) as u32;
        let mut block = self.words(&[kind, length]);
        block.extend(body);
        block.resize(length as usize - 4, 0);
        block.extend(self.u32(length));
        block
    }

    pub fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [self.u16(code), self.u16(value.len() as u16), value.to_vec()].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    pub fn section(self, options: &[u8]) -> Vec<u8> {
        let begin = [self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), vec![0xff; 8]].concat();
        self.block(SECTION, &[&begin, options].concat())
    }

    pub fn interface(self, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
        let begin = [self.u16(link_type), vec![0; 2], self.u32(snaplen)].concat();
        self.block(INTERFACE, &[&begin, options].concat())
    }

    pub fn packet(self, interface: u32, ticks: u64, frame: &[u8], options: &[u8]) -> Vec<u8> {
        let length = frame.len() as u32;
        let mut body = self.words(&[interface, (ticks >> 32) as u32, ticks as u32, length, length]);
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        self.block(PACKET, &[&body, options].concat())
    }
}
