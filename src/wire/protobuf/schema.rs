//! Which messages there are, and what their fields are called.

use std::fmt;
use std::sync::OnceLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use super::scan::Wire;

/// A set of messages that formats can name.
#[derive(Clone)]
pub struct Schema {
    pool: DescriptorPool,
}

/// A message of a [`Schema`].
#[derive(Clone, PartialEq)]
pub struct MessageType {
    descriptor: MessageDescriptor,
}

impl Schema {
    /// The messages of `proto/`, which every build knows.
    pub fn built_in() -> &'static Schema {
        static BUILT_IN: OnceLock<Schema> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let set = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
            // build.rs has compiled these very bytes.
            let pool = DescriptorPool::decode(set.as_slice()).expect("build.rs wrote descriptors");
            Schema { pool }
        })
    }

    /// The messages of these descriptors.
    ///
    /// The files must be proto2 or proto3: prost-reflect panics on editions.
    pub fn new(pool: DescriptorPool) -> Schema {
        Schema { pool }
    }

    /// The message of this full name, or why there is none.
    pub(in crate::wire) fn message(&self, name: &str) -> Result<MessageType, String> {
        if let Some(descriptor) = self.pool.get_message_by_name(name) {
            return Ok(MessageType { descriptor });
        }
        let known: Vec<_> = self
            .pool
            .all_messages()
            .filter(|message| !message.is_map_entry())
            .map(|message| message.full_name().to_owned())
            .take(20)
            .collect();
        Err(format!("no message is called {name:?}; known are {}", known.join(", ")))
    }
}

impl MessageType {
    /// The full name, with the package: `pb.TempEvent`.
    pub fn name(&self) -> &str {
        self.descriptor.full_name()
    }

    /// The message's descriptor.
    pub fn descriptor(&self) -> &MessageDescriptor {
        &self.descriptor
    }
}

// prost-reflect's own Debug does not end where a message is part of itself.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("messages", &self.pool.all_messages().len()).finish()
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageType").field(&self.name()).finish()
    }
}

/// The field of this number, if the wire type is one that it can have.
pub(super) fn known(
    message: &MessageDescriptor,
    number: u32,
    wire: Wire,
) -> Option<FieldDescriptor> {
    let field = message.get_field(number)?;
    let own = wire_type(&field);
    // A repeated scalar is read packed and unpacked, whichever it is declared as.
    let packable = field.is_list() && matches!(own, Wire::Varint | Wire::Fixed32 | Wire::Fixed64);
    (wire == own || wire == Wire::Length && packable).then_some(field)
}

/// The wire type of one element of a field.
pub(super) fn wire_type(field: &FieldDescriptor) -> Wire {
    match field.kind() {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32,
        Kind::String | Kind::Bytes => Wire::Length,
        Kind::Message(_) if field.is_group() => Wire::GroupStart,
        Kind::Message(_) => Wire::Length,
        _ => Wire::Varint,
    }
}
