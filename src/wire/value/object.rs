//! What only running code could build.

use super::NodeId;

/// What a pickle asks for beyond plain data, kept as the request it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What is asked for, or called.
    pub class: Class,
    /// The arguments of the call; `None` where the class itself is the value.
    pub arguments: Option<Vec<NodeId>>,
    /// Whether the call makes an instance without initializing it (`NEWOBJ`, `NEWOBJ_EX`, and the
    /// instances without arguments of `OBJ` and `INST`), rather than being one like any other.
    pub uninitialized: bool,
    /// Keyword arguments (`NEWOBJ_EX`): name and value.
    pub keywords: Vec<(NodeId, NodeId)>,
    /// What `BUILD` sets.
    pub state: Option<NodeId>,
    /// What `APPEND`, `APPENDS` and `ADDITEMS` add.
    pub items: Vec<NodeId>,
    /// What `SETITEM` and `SETITEMS` set.
    pub entries: Vec<(NodeId, NodeId)>,
    /// Where in the pickle it is asked for, in bytes from the pickle's start.
    pub offset: usize,
}

/// The thing an [`Object`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// A name in a module: `collections`, `OrderedDict`.
    Global {
        /// The module's dotted name.
        module: Box<str>,
        /// The qualified name in it.
        name: Box<str>,
    },
    /// What another node yields is called.
    Computed(NodeId),
    /// An object the receiver knows by this persistent id.
    Persistent(NodeId),
    /// A code of `copyreg`'s extension registry.
    Extension(i64),
    /// An out-of-band buffer (PEP 574), by its order.
    Buffer(usize),
}

impl Object {
    /// A bare reference to `class`: nothing is called, nothing is set.
    pub fn reference(class: Class, offset: usize) -> Object {
        Object {
            class,
            arguments: None,
            uninitialized: false,
            keywords: Vec::new(),
            state: None,
            items: Vec::new(),
            entries: Vec::new(),
            offset,
        }
    }

    /// Whether it is a bare reference.
    pub fn is_reference(&self) -> bool {
        self.arguments.is_none()
            && self.state.is_none()
            && self.items.is_empty()
            && self.entries.is_empty()
    }

    /// Whether it refers to any node.
    pub fn has_children(&self) -> bool {
        self.children().next().is_some()
    }

    /// The ids of all nodes this one refers to, in the order of its fields.
    pub(super) fn children(&self) -> impl Iterator<Item = NodeId> {
        let class = match self.class {
            Class::Computed(node) | Class::Persistent(node) => Some(node),
            Class::Global { .. } | Class::Extension(_) | Class::Buffer(_) => None,
        };
        class
            .into_iter()
            .chain(self.arguments.iter().flatten().copied())
            .chain(self.keywords.iter().flat_map(|&(key, value)| [key, value]))
            .chain(self.state)
            .chain(self.items.iter().copied())
            .chain(self.entries.iter().flat_map(|&(key, value)| [key, value]))
    }
}
