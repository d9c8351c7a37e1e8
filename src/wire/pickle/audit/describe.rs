//! Requests as a person reads them: `os.system('echo harm')`.

use super::request::What;
use super::{Audit, Finding, Request, RequestKind};
use crate::wire::value::{Class, Node, NodeId, Object, Value};
use crate::wire::visible::is_hazard;

/// How many characters of a request are shown; `--json` has all.
pub const SHOWN: usize = 200;
/// How deep its arguments are shown.
const DEPTH: usize = 4;
/// How many elements of a container are shown.
const ELEMENTS: usize = 20;
/// How many bytes of one text.
const TEXT: usize = 120;
/// How many bytes of a name.
const NAME: usize = 120;

impl Audit {
    /// A request in Python's way of writing, shortened to [`SHOWN`] characters, with nothing in it that
    /// acts on a terminal.
    pub fn describe(&self, request: &Request) -> String {
        let mut text = Text { value: &self.value, shown: String::new(), waiting: Vec::new() };
        match request.what {
            What::Node(node) => {
                text.waiting.push(Piece::Node(node, 0));
                text.write();
            }
            _ => match self.global(request) {
                Some((module, name)) => text.global(module, name),
                None => text.shown.push_str(match request.kind {
                    RequestKind::PersistentId => "a persistent id",
                    RequestKind::Extension => "an extension",
                    RequestKind::Buffer => "a buffer",
                    _ => "a name that is not written out",
                }),
            },
        }
        text.shown
    }

    /// What to say first about a request, if anything.
    pub fn describe_finding(&self, request: &Request) -> Option<&'static str> {
        Some(match self.finding(request)? {
            Finding::ComputedName => "its name is computed: it can be anything",
            Finding::ChangedGlobal => "changes what the whole process uses",
        })
    }
}

#[derive(Clone, Copy)]
enum Piece {
    Node(NodeId, usize),
    Text(&'static str),
    More(usize),
}

struct Text<'v> {
    value: &'v Value,
    shown: String,
    /// What is still to be written, the next one last.
    waiting: Vec<Piece>,
}

impl Text<'_> {
    fn write(&mut self) {
        while let Some(piece) = self.waiting.pop() {
            match piece {
                Piece::Node(node, depth) => self.node(node, depth),
                Piece::Text(text) => self.shown.push_str(text),
                Piece::More(count) => self.shown.push_str(&format!("… {count} more")),
            }
            if let Some((end, _)) = self.shown.char_indices().nth(SHOWN) {
                self.shown.truncate(end);
                self.shown.push('…');
                return;
            }
        }
    }

    fn node(&mut self, id: NodeId, depth: usize) {
        let value = self.value;
        let node = value.node(id);
        let holds = value.children(id).next().is_some();
        if depth > DEPTH && holds {
            self.shown.push('…');
            return;
        }
        match node {
            Node::None => self.shown.push_str("None"),
            Node::Bool(true) => self.shown.push_str("True"),
            Node::Bool(false) => self.shown.push_str("False"),
            Node::Int(integer) => self.shown.push_str(&integer.to_string()),
            Node::BigInt(integer) if integer.bits() <= 256 => {
                self.shown.push_str(&integer.to_string());
            }
            Node::BigInt(integer) => {
                self.shown.push_str(&format!("an integer of {} bits", integer.bits()));
            }
            Node::Float(float) => self.shown.push_str(&format!("{float:?}")),
            Node::Str(span) | Node::Surrogates(span) => {
                let text = String::from_utf8_lossy(value.span(*span));
                let end = text.floor_char_boundary(TEXT);
                self.quoted(&text[..end], end < text.len());
            }
            Node::Bytes(span) => self.bytes(value.span(*span)),
            Node::ByteArray(span) => {
                self.shown.push_str("bytearray(");
                self.bytes(value.span(*span));
                self.shown.push(')');
            }
            Node::List(items) => self.later("[", value.items(*items), "]", depth),
            Node::Tuple(items) => {
                self.later(
                    "(",
                    value.items(*items),
                    if items.len() == 1 { ",)" } else { ")" },
                    depth,
                );
            }
            Node::Set(items) if items.is_empty() => self.shown.push_str("set()"),
            Node::Set(items) => self.later("{", value.items(*items), "}", depth),
            Node::FrozenSet(items) => self.later("frozenset({", value.items(*items), "})", depth),
            Node::Dict(entries) => self.later_pairs("{", value.entries(*entries), "}", depth),
            Node::Object(object) => self.object(object, depth),
        }
    }

    fn object(&mut self, object: &Object, depth: usize) {
        // From the last part to the first: what is pushed last is written first.
        if !object.entries.is_empty() {
            self.later_pairs(" | {", &object.entries, "}", depth);
        }
        if !object.items.is_empty() {
            self.later(" + [", &object.items, "]", depth);
        }
        if let Some(state) = object.state {
            self.waiting.push(Piece::Text(")"));
            self.waiting.push(Piece::Node(state, depth + 1));
            self.waiting.push(Piece::Text(".__setstate__("));
        }
        if let Some(arguments) = &object.arguments {
            if !object.keywords.is_empty() {
                self.later_pairs(", **{", &object.keywords, "})", depth);
                self.later("(", arguments, "", depth);
            } else {
                self.later("(", arguments, ")", depth);
            }
        }
        match &object.class {
            Class::Global { module, name } => self.global(module, name),
            Class::Computed(node) => {
                self.waiting.push(Piece::Text(")"));
                self.waiting.push(Piece::Node(*node, depth + 1));
                self.waiting.push(Piece::Text("("));
            }
            Class::Persistent(id) => {
                self.waiting.push(Piece::Text(">"));
                self.waiting.push(Piece::Node(*id, depth + 1));
                self.waiting.push(Piece::Text("<persistent id "));
            }
            Class::Extension(code) => self.shown.push_str(&format!("<extension {code}>")),
            Class::Buffer(order) => self.shown.push_str(&format!("<buffer {order}>")),
        }
    }

    fn global(&mut self, module: &str, name: &str) {
        for (part, dot) in [(module, "."), (name, "")] {
            let end = part.floor_char_boundary(NAME);
            // A name with anything odd in it is quoted, so that it cannot pose as something else.
            let plain = !part.is_empty()
                && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            if plain && end == part.len() {
                self.shown.push_str(part);
            } else {
                self.quoted(&part[..end], end < part.len());
            }
            self.shown.push_str(dot);
        }
    }

    fn quoted(&mut self, beginning: &str, more: bool) {
        self.shown.push('\'');
        for character in beginning.chars() {
            self.character(character);
        }
        self.shown.push_str(if more { "…'" } else { "'" });
    }

    /// As Python's `repr` has it.
    fn character(&mut self, character: char) {
        let code = u32::from(character);
        match character {
            '\\' | '\'' => self.shown.extend(['\\', character]),
            '\n' => self.shown.push_str("\\n"),
            '\r' => self.shown.push_str("\\r"),
            '\t' => self.shown.push_str("\\t"),
            _ if !is_hazard(character) => self.shown.push(character),
            ..='\u{ff}' => self.shown.push_str(&format!("\\x{code:02x}")),
            ..='\u{ffff}' => self.shown.push_str(&format!("\\u{code:04x}")),
            _ => self.shown.push_str(&format!("\\U{code:08x}")),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let beginning = bytes[..bytes.len().min(TEXT)].escape_ascii();
        let more = if bytes.len() > TEXT { "…" } else { "" };
        self.shown.push_str(&format!("b'{beginning}{more}'"));
    }

    fn later(&mut self, open: &'static str, items: &[NodeId], close: &'static str, depth: usize) {
        self.waiting.push(Piece::Text(close));
        if items.len() > ELEMENTS {
            self.waiting.push(Piece::More(items.len() - ELEMENTS));
            self.waiting.push(Piece::Text(", "));
        }
        for (place, &item) in items.iter().take(ELEMENTS).enumerate().rev() {
            self.waiting.push(Piece::Node(item, depth + 1));
            if place > 0 {
                self.waiting.push(Piece::Text(", "));
            }
        }
        self.waiting.push(Piece::Text(open));
    }

    fn later_pairs(
        &mut self,
        open: &'static str,
        entries: &[(NodeId, NodeId)],
        close: &'static str,
        depth: usize,
    ) {
        self.waiting.push(Piece::Text(close));
        if entries.len() > ELEMENTS {
            self.waiting.push(Piece::More(entries.len() - ELEMENTS));
            self.waiting.push(Piece::Text(", "));
        }
        for (place, &(key, item)) in entries.iter().take(ELEMENTS).enumerate().rev() {
            self.waiting.push(Piece::Node(item, depth + 1));
            self.waiting.push(Piece::Text(": "));
            self.waiting.push(Piece::Node(key, depth + 1));
            if place > 0 {
                self.waiting.push(Piece::Text(", "));
            }
        }
        self.waiting.push(Piece::Text(open));
    }
}
