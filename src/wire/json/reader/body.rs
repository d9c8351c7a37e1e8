//! What stands in an `$object` while it is read.

use super::frame::{Array, Expect, Result, Yield};
use crate::wire::value::{Class, NodeId, Object};

/// The parts of an `$object` read so far.
#[derive(Default)]
pub struct Body {
    key: Option<Part>,
    seen: Vec<Part>,
    path: Option<String>,
    module: Option<String>,
    class: Option<Class>,
    arguments: Option<Vec<NodeId>>,
    keywords: Vec<(NodeId, NodeId)>,
    state: Option<NodeId>,
    items: Vec<NodeId>,
    entries: Vec<(NodeId, NodeId)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Class,
    Module,
    Computed,
    Persistent,
    Extension,
    Buffer,
    Args,
    Kwargs,
    State,
    Items,
    Entries,
}

impl Part {
    const ALL: [(Part, &'static str); 11] = [
        (Part::Class, "class"),
        (Part::Module, "module"),
        (Part::Computed, "computed"),
        (Part::Persistent, "persistent"),
        (Part::Extension, "extension"),
        (Part::Buffer, "buffer"),
        (Part::Args, "args"),
        (Part::Kwargs, "kwargs"),
        (Part::State, "state"),
        (Part::Items, "items"),
        (Part::Entries, "entries"),
    ];

    fn says_what(self) -> bool {
        matches!(
            self,
            Part::Class | Part::Computed | Part::Persistent | Part::Extension | Part::Buffer
        )
    }
}

impl Body {
    /// Begins another part.
    pub fn key(&mut self, key: &str) -> Result<()> {
        let Some(&(part, _)) = Part::ALL.iter().find(|(_, name)| *name == key) else {
            let known: Vec<_> = Part::ALL.iter().map(|(_, name)| *name).collect();
            return Err(format!("an $object has no {key:?}, only {}", known.join(" ")));
        };
        if self.seen.contains(&part) {
            return Err(format!("the key {key:?} stands twice"));
        }
        if part.says_what() && self.seen.iter().any(|seen| seen.says_what()) {
            return Err(format!("{key:?} says again what is asked for"));
        }
        self.seen.push(part);
        self.key = Some(part);
        Ok(())
    }

    pub fn key_name(&self) -> &'static str {
        let name = |part| Part::ALL.iter().find(|(known, _)| *known == part).map(|(_, name)| *name);
        self.key.and_then(name).unwrap_or("$object")
    }

    pub fn expect(&self) -> Expect {
        match self.key {
            Some(Part::Class | Part::Module) => Expect::Text,
            Some(Part::Computed | Part::Persistent | Part::State) => Expect::Any(None),
            Some(Part::Extension | Part::Buffer) => Expect::Number,
            Some(Part::Args | Part::Items) => Expect::Array(None, Array::Bare),
            Some(Part::Kwargs | Part::Entries) => Expect::Pairs,
            None => Expect::Nothing,
        }
    }

    pub fn take(&mut self, done: Yield) {
        match (self.key, done) {
            (Some(Part::Class), Yield::Text(path)) => self.path = Some(path),
            (Some(Part::Module), Yield::Text(module)) => self.module = Some(module),
            (Some(Part::Computed), Yield::Node(node)) => self.class = Some(Class::Computed(node)),
            (Some(Part::Persistent), Yield::Node(node)) => {
                self.class = Some(Class::Persistent(node));
            }
            (Some(Part::Extension), Yield::Number(code)) => {
                self.class = Some(Class::Extension(code));
            }
            (Some(Part::Buffer), Yield::Number(order)) => {
                self.class = usize::try_from(order).ok().map(Class::Buffer);
            }
            (Some(Part::Args), Yield::Items(items)) => self.arguments = Some(items),
            (Some(Part::Kwargs), Yield::Entries(entries)) => self.keywords = entries,
            (Some(Part::State), Yield::Node(node)) => self.state = Some(node),
            (Some(Part::Items), Yield::Items(items)) => self.items = items,
            (Some(Part::Entries), Yield::Entries(entries)) => self.entries = entries,
            // Nothing else was expected, so nothing else comes.
            _ => {}
        }
    }

    pub fn finish(mut self: Box<Self>) -> std::result::Result<Box<Object>, (Box<Body>, String)> {
        let class = match (self.class.take(), &self.path) {
            (Some(class), _) => Ok(class),
            (None, Some(path)) => global(path, self.module.as_deref()),
            (None, None) => Err("an $object needs a class, computed, persistent, extension or \
                                 buffer that it can be"
                .to_owned()),
        };
        match class {
            Ok(class) => Ok(Box::new(Object {
                class,
                arguments: self.arguments,
                uninitialized: false,
                keywords: self.keywords,
                state: self.state,
                items: self.items,
                entries: self.entries,
                offset: 0,
            })),
            Err(complaint) => Err((self, complaint)),
        }
    }
}

/// The class of a dotted path: its last part is the name, unless the module is given.
fn global(path: &str, module: Option<&str>) -> Result<Class> {
    let split = match module {
        Some(module) => {
            path.strip_prefix(module).and_then(|rest| rest.strip_prefix('.')).map(|n| (module, n))
        }
        None => path.rsplit_once('.'),
    };
    match split {
        Some((module, name)) => Ok(Class::Global { module: module.into(), name: name.into() }),
        None if module.is_some() => {
            Err(format!("the class {path:?} does not begin with its module"))
        }
        None => Err(format!("the class {path:?} is no module.Name")),
    }
}
