//! What a pickle asks for beyond plain data, kept as the requests they are.

use super::machine::{Machine, invalid_utf8, kind};
use super::opcode::*;
use super::reader::Word;
use crate::wire::Fault;
use crate::wire::value::{Class, Node, NodeId, Object};

/// An object takes some two hundred bytes, another node sixteen.
const NODES_OF_AN_OBJECT: usize = 8;

impl Machine<'_> {
    /// The opcodes that ask for objects.
    pub(super) fn object_opcode(&mut self, opcode: u8, word: Word) -> Result<(), Fault> {
        match opcode {
            GLOBAL => {
                let class = self.class_lines()?;
                self.push_reference(class)
            }
            STACK_GLOBAL => self.stack_global(),
            INST => {
                let class = self.class_lines()?;
                let from = self.take_mark()?;
                let arguments = self.stack.split_off(from);
                let uninitialized = arguments.is_empty();
                self.push_call(class, arguments, Vec::new(), uninitialized)
            }
            OBJ => {
                let from = self.take_mark()?;
                let mut arguments = self.stack.split_off(from);
                if arguments.is_empty() {
                    return Err(self.corrupt("OBJ without a class"));
                }
                let class = self.callee(arguments.remove(0))?;
                let uninitialized = arguments.is_empty();
                self.push_call(class, arguments, Vec::new(), uninitialized)
            }
            REDUCE | NEWOBJ => {
                self.need(2)?;
                let (arguments, callee) = (self.pop()?, self.pop()?);
                if opcode == REDUCE
                    && let Some(data) = self.plain_data(callee, arguments)?
                {
                    return self.push_data(data);
                }
                let class = self.callee(callee)?;
                let arguments = self.arguments(&class, arguments)?;
                self.push_call(class, arguments, Vec::new(), opcode == NEWOBJ)
            }
            NEWOBJ_EX => {
                self.need(3)?;
                let (keywords, arguments, callee) = (self.pop()?, self.pop()?, self.pop()?);
                let class = self.callee(callee)?;
                let arguments = self.arguments(&class, arguments)?;
                let Node::Dict(entries) = self.value.node(keywords) else {
                    let message = format!("keywords that are {}", kind(self.value.node(keywords)));
                    return Err(self.unusable_call(class, keywords, message));
                };
                let entries = self.value.entries(*entries).to_vec();
                self.spend_copies(0, 2 * entries.len())?;
                self.push_call(class, arguments, entries, true)
            }
            BUILD => self.build(),
            PERSID => {
                let line = self.reader.line()?;
                let start = self.reader.position() - 1 - line.len();
                if let Err(error) = std::str::from_utf8(line) {
                    return Err(invalid_utf8(start + error.valid_up_to()));
                }
                let span = self.value.store(line);
                let id = self.add(Node::Str(span))?;
                self.push_reference(Class::Persistent(id))
            }
            BINPERSID => {
                let id = self.pop()?;
                self.push_reference(Class::Persistent(id))
            }
            EXT1 | EXT2 | EXT4 => {
                let width = ARGUMENTS[opcode as usize].into();
                let mut code = self.reader.fixed(word, width) as i64;
                if opcode == EXT4 {
                    code = (code as i32).into();
                }
                if code <= 0 {
                    return Err(self.corrupt(format!("the extension code {code}")));
                }
                self.push_reference(Class::Extension(code))
            }
            NEXT_BUFFER => {
                self.buffers += 1;
                self.push_reference(Class::Buffer(self.buffers - 1))
            }
            READONLY_BUFFER => {
                let top = self.top()?;
                match self.value.node(top) {
                    Node::Bytes(_) | Node::ByteArray(_) => {}
                    Node::Object(_) => {
                        // Said again and again, it takes no more memory.
                        let known = &mut self.provenance.read_only_buffers;
                        if known.last() != Some(&top) {
                            known.push(top);
                        }
                    }
                    node => {
                        let message = format!("READONLY_BUFFER of {}", kind(node));
                        return Err(self.corrupt(message));
                    }
                }
                Ok(())
            }
            _ => Err(super::bounds::unknown_opcode(self.reader.at, opcode)),
        }
    }

    fn class_lines(&mut self) -> Result<Class, Fault> {
        let (module, name) = self.reader.two_lines()?;
        let end = self.reader.position();
        let text = |bytes, start| match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Box::from(text)),
            Err(error) => Err(invalid_utf8(start + error.valid_up_to())),
        };
        let name_start = end - 1 - name.len();
        Ok(Class::Global {
            module: text(module, name_start - 1 - module.len())?,
            name: text(name, name_start)?,
        })
    }

    fn stack_global(&mut self) -> Result<(), Fault> {
        self.need(2)?;
        let (name, module) = (self.pop()?, self.pop()?);
        let class = match (self.value.as_str(module), self.value.as_str(name)) {
            (Some(module_text), Some(name_text)) => {
                let (module, name) = (Box::from(module_text), Box::from(name_text));
                let bytes = module_text.len() + name_text.len();
                self.spend_copies(bytes, 0)?;
                Class::Global { module, name }
            }
            // Names that a call computes: nobody can say here which they are.
            _ if self.is_object(module) || self.is_object(name) => {
                let names = self.value.store_items(&[module, name]);
                self.push_container(Node::Tuple(names), &[module, name])?;
                Class::Computed(self.pop()?)
            }
            _ => return Err(self.corrupt("STACK_GLOBAL of something other than two texts")),
        };
        self.push_reference(class)
    }

    fn is_object(&self, node: NodeId) -> bool {
        matches!(self.value.node(node), Node::Object(_))
    }

    fn push_reference(&mut self, class: Class) -> Result<(), Fault> {
        self.push_object(Object::reference(class, self.reader.at))
    }

    fn push_call(
        &mut self,
        class: Class,
        arguments: Vec<NodeId>,
        keywords: Vec<(NodeId, NodeId)>,
        uninitialized: bool,
    ) -> Result<(), Fault> {
        let mut object = Object::reference(class, self.reader.at);
        object.arguments = Some(arguments);
        object.keywords = keywords;
        object.uninitialized = uninitialized;
        self.push_object(object)
    }

    fn push_object(&mut self, object: Object) -> Result<(), Fault> {
        self.spend_nodes(NODES_OF_AN_OBJECT)?;
        let id = self.value.add(Node::Object(Box::new(object)));
        let children: Vec<NodeId> = self.value.children(id).collect();
        let depth = self.depths.container(id, &children);
        self.check_depth(depth)?;
        self.stack.push(id);
        Ok(())
    }

    /// What is called when `node` is: its class if it is a plain reference, else whatever it yields.
    fn callee(&mut self, node: NodeId) -> Result<Class, Fault> {
        let Node::Object(object) = self.value.node(node) else {
            let message = format!("a call of {}", kind(self.value.node(node)));
            return Err(self.corrupt(message));
        };
        if !object.is_reference() {
            return Ok(Class::Computed(node));
        }
        let class = object.class.clone();
        match &class {
            Class::Global { module, name } => self.spend_copies(module.len() + name.len(), 0)?,
            Class::Extension(_) => {}
            Class::Computed(_) | Class::Persistent(_) | Class::Buffer(_) => {
                return Ok(Class::Computed(node));
            }
        }
        Ok(class)
    }

    /// The elements of the tuple of arguments.
    fn arguments(&mut self, class: &Class, node: NodeId) -> Result<Vec<NodeId>, Fault> {
        if let Node::Tuple(elements) = self.value.node(node) {
            let elements = self.value.items(*elements).to_vec();
            self.spend_copies(0, elements.len())?;
            return Ok(elements);
        }
        let message = format!("arguments that are {}", kind(self.value.node(node)));
        Err(self.unusable_call(class.clone(), node, message))
    }

    /// A call whose arguments are not written out: no value, but [`salvage`](super::salvage) shows it.
    fn unusable_call(&mut self, class: Class, arguments: NodeId, message: String) -> Fault {
        match self.push_call(class, vec![arguments], Vec::new(), false) {
            Ok(()) => self.corrupt(message),
            Err(fault) => fault,
        }
    }

    fn build(&mut self) -> Result<(), Fault> {
        self.need(2)?;
        let (state, target) = (self.pop()?, self.top()?);
        let at = self.reader.at;
        let stateless = matches!(self.value.node(state), Node::None);
        let first = match self.value.node_mut(target) {
            Node::Object(object) if object.state.is_none() => {
                if object.is_reference() {
                    // To change what a module holds is a request of its own.
                    object.offset = at;
                }
                object.state = Some(state);
                true
            }
            Node::Object(_) => false,
            // Python does nothing then, too.
            _ if stateless => return Ok(()),
            node => {
                let message = format!("BUILD of {}", kind(node));
                return Err(self.corrupt(message));
            }
        };
        if !first {
            // A second state runs after the first one: `target` is now what that made, and a state.
            self.spend_nodes(NODES_OF_AN_OBJECT)?;
            let mut outer = Object::reference(Class::Computed(target), at);
            outer.state = Some(state);
            let inner =
                std::mem::replace(self.value.node_mut(target), Node::Object(Box::new(outer)));
            let inner = self.value.add(inner);
            let children: Vec<NodeId> = self.value.children(inner).collect();
            self.depths.container(inner, &children);
            if let Node::Object(outer) = self.value.node_mut(target) {
                outer.class = Class::Computed(inner);
            }
            let depth = self.depths.extend(target, &[inner]);
            self.check_depth(depth)?;
        }
        let depth = self.depths.extend(target, &[state]);
        self.check_depth(depth)
    }
}
