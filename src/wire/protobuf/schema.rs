//! Which messages there are.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::layout::Layouts;

/// A set of messages that formats can name: the user's own, and those that are built in.
#[derive(Clone)]
pub struct Schema {
    /// Where names are looked up, in this order.
    pools: Arc<[DescriptorPool]>,
}

/// A message of a [`Schema`].
#[derive(Clone)]
pub struct MessageType {
    descriptor: MessageDescriptor,
    layouts: Arc<Layouts>,
}

/// So many messages are named where one is not found.
const NAMED: usize = 20;

impl Schema {
    /// The messages of `proto/`, which every build knows.
    pub fn built_in() -> &'static Schema {
        static BUILT_IN: OnceLock<Schema> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let set = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
            // build.rs has compiled these very bytes.
            let pool = DescriptorPool::decode(set.as_slice()).expect("build.rs wrote descriptors");
            Schema { pools: [pool].into() }
        })
    }

    /// The messages of these descriptors, the first ones first, and those that are built in.
    ///
    /// The files must be proto2 or proto3: prost-reflect panics on editions.
    pub fn new(pools: impl IntoIterator<Item = DescriptorPool>) -> Schema {
        Schema {
            pools: pools.into_iter().chain(Schema::built_in().pools.iter().cloned()).collect(),
        }
    }

    /// The messages of this schema, and behind them those of `other`.
    pub fn before(&self, other: &Schema) -> Schema {
        Schema { pools: self.own().chain(other.pools.iter()).cloned().collect() }
    }

    /// The full names of its messages, sorted, but for those that are built in and Google's.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.own().flat_map(names).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The message of this full name, or why there is none.
    pub(in crate::wire) fn message(&self, name: &str) -> Result<MessageType, String> {
        if let Some(descriptor) = self.pools.iter().find_map(|pool| pool.get_message_by_name(name))
        {
            let layouts = Arc::new(Layouts::of(&descriptor));
            return Ok(MessageType { descriptor, layouts });
        }
        let known: Vec<String> = self.pools.iter().flat_map(names).collect();
        let with_package = |full: &&String| full.rsplit('.').next() == Some(name);
        let listed = match known.iter().find(with_package) {
            Some(meant) => format!("{meant} has that name in its package"),
            None if known.len() > NAMED => {
                format!("known are {}, and {} more", known[..NAMED].join(", "), known.len() - NAMED)
            }
            None => format!("known are {}", known.join(", ")),
        };
        let advice = if self.own().next().is_none() { "; --proto FILE brings others" } else { "" };
        Err(format!("no message is called {name:?}; {listed}{advice}"))
    }

    /// The descriptors beside those that are built in.
    fn own(&self) -> impl Iterator<Item = &DescriptorPool> {
        let built_in = &Schema::built_in().pools;
        self.pools.iter().filter(|pool| !built_in.contains(pool))
    }
}

impl Default for Schema {
    /// What is built in.
    fn default() -> Schema {
        Schema::built_in().clone()
    }
}

/// The messages that somebody defined.
fn names(pool: &DescriptorPool) -> impl Iterator<Item = String> {
    pool.all_messages()
        .filter(|message| !message.is_map_entry() && message.package_name() != GOOGLE)
        .map(|message| message.full_name().to_owned())
}

/// The package of the well-known types.
const GOOGLE: &str = "google.protobuf";

impl MessageType {
    /// The full name, with the package: `pb.TempEvent`.
    pub fn name(&self) -> &str {
        self.descriptor.full_name()
    }

    /// The message's descriptor.
    pub fn descriptor(&self) -> &MessageDescriptor {
        &self.descriptor
    }

    /// What is known of it, the first one, and of all that it may hold.
    pub(super) fn layouts(&self) -> &Layouts {
        &self.layouts
    }
}

/// The same message of the same schema.
impl PartialEq for MessageType {
    fn eq(&self, other: &MessageType) -> bool {
        self.descriptor == other.descriptor
    }
}

// prost-reflect's own Debug does not end where a message is part of itself.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: usize = self.pools.iter().map(|pool| pool.all_messages().len()).sum();
        f.debug_struct("Schema").field("messages", &messages).finish()
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageType").field(&self.name()).finish()
    }
}
