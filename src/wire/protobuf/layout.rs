//! What is known of a message and of all that it may hold, laid out once so that reading and writing
//! look nothing up by name or through a descriptor.

use std::collections::HashMap;

use prost_reflect::{Cardinality, EnumDescriptor, Kind as Declared, MessageDescriptor, Syntax};

use super::scan::Wire;

/// A message, the first one, and all others that may stand in it.
pub struct Layouts {
    layouts: Vec<Layout>,
    by_name: HashMap<String, usize>,
}

/// One message.
pub struct Layout {
    pub name: String,
    /// What form it has that is no mapping of its fields.
    pub special: Option<Special>,
    /// Whether it is an entry of a map.
    pub is_entry: bool,
    /// By number, ascending; extensions among them.
    pub fields: Vec<Field>,
    pub has_required: bool,
    /// By number, one more than the place in `fields`; 0 of numbers that are not known.
    places: Vec<u16>,
    /// By `.proto` name and JSON name.
    by_name: HashMap<String, usize>,
}

/// One field.
pub struct Field {
    pub number: u32,
    /// The `.proto`'s, of an extension its full name in brackets.
    pub name: String,
    pub kind: Kind,
    /// Of one element.
    pub wire: Wire,
    pub shape: Shape,
    pub is_packed: bool,
    pub has_presence: bool,
    pub is_required: bool,
    pub oneof: Option<usize>,
    pub is_extension: bool,
}

/// How often a field may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Singular,
    List,
    Map,
}

/// The type of one element of a field.
pub enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// With whether it takes its own values alone, as in proto2.
    Enum(EnumDescriptor, bool),
    /// `google.protobuf.NullValue`, whose one value is `null`.
    Null,
    /// A message or a group: its place in [`Layouts`].
    Message(usize),
}

/// The messages of `google.protobuf` that the proto3 JSON mapping gives forms of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Any,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    ListValue,
    /// One of the wrappers of scalars: the field 1 is all there is.
    Wrapper,
}

/// So many numbers from 0 on are looked up by place.
const DENSE: usize = 256;

impl Layouts {
    /// The layout of a message and of all that it may hold.
    pub fn of(message: &MessageDescriptor) -> Layouts {
        let mut layouts = Layouts { layouts: Vec::new(), by_name: HashMap::new() };
        let mut waiting = vec![message.clone()];
        layouts.by_name.insert(message.full_name().to_owned(), 0);
        let mut holds_any = false;
        while let Some(message) = waiting.get(layouts.layouts.len()).cloned() {
            if !holds_any && Special::of(message.full_name()) == Some(Special::Any) {
                // It may hold whatever there is.
                holds_any = true;
                for other in message.parent_pool().all_messages() {
                    layouts.place(&other, &mut waiting);
                }
            }
            let layout = layouts.lay_out(&message, &mut waiting);
            layouts.layouts.push(layout);
        }
        layouts
    }

    /// The layout at a place that one of them names.
    pub fn at(&self, place: usize) -> &Layout {
        &self.layouts[place]
    }

    /// The place of the message of this full name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn place(
        &mut self,
        message: &MessageDescriptor,
        waiting: &mut Vec<MessageDescriptor>,
    ) -> usize {
        let next = self.by_name.len();
        let place = *self.by_name.entry(message.full_name().to_owned()).or_insert(next);
        if place == next {
            waiting.push(message.clone());
        }
        place
    }

    fn lay_out(
        &mut self,
        message: &MessageDescriptor,
        waiting: &mut Vec<MessageDescriptor>,
    ) -> Layout {
        let mut fields = Vec::new();
        let mut by_name = HashMap::new();
        // Fields and extensions have types of their own in prost-reflect, with the same methods.
        macro_rules! field {
            ($field:expr, $name:expr, $oneof:expr, $is_extension:expr) => {{
                let field = &$field;
                let kind = self.kind(&field.kind(), waiting);
                let wire = match &kind {
                    Kind::Message(_) if field.is_group() => Wire::GroupStart,
                    kind => kind.wire(),
                };
                let shape = match (field.is_map(), field.is_list()) {
                    (true, _) => Shape::Map,
                    (_, true) => Shape::List,
                    _ => Shape::Singular,
                };
                let name: String = $name.to_owned();
                // What prost-reflect says of this is wrong where protox has read the options.
                let options = field.field_descriptor_proto().options.as_ref();
                let is_packed = options
                    .and_then(|options| options.packed)
                    .unwrap_or(field.parent_file().syntax() == Syntax::Proto3);
                let is_number = matches!(wire, Wire::Varint | Wire::Fixed32 | Wire::Fixed64);
                let is_packed = is_packed && is_number && shape == Shape::List;
                by_name.insert(field.json_name().to_owned(), field.number());
                fields.push(Field {
                    number: field.number(),
                    name,
                    kind,
                    wire,
                    shape,
                    is_packed,
                    has_presence: field.supports_presence(),
                    is_required: field.cardinality() == Cardinality::Required,
                    oneof: $oneof,
                    is_extension: $is_extension,
                });
            }};
        }
        let oneofs: Vec<_> = message.oneofs().collect();
        for field in message.fields() {
            let oneof = field.containing_oneof();
            let oneof = oneof.and_then(|oneof| oneofs.iter().position(|other| *other == oneof));
            field!(field, field.name(), oneof, false);
        }
        for extension in message.extensions() {
            field!(extension, extension.json_name(), None, true);
        }
        fields.sort_by_key(|field| field.number);
        // A `.proto` name goes before another field's JSON name.
        by_name.extend(fields.iter().map(|field| (field.name.clone(), field.number)));
        let by_name = by_name
            .into_iter()
            .filter_map(|(name, number)| {
                Some((name, fields.binary_search_by_key(&number, |field| field.number).ok()?))
            })
            .collect();
        let dense = fields.iter().rev().find(|field| (field.number as usize) < DENSE);
        let mut places = vec![0; dense.map_or(0, |field| field.number as usize + 1)];
        for (place, field) in fields.iter().enumerate() {
            if let Some(known) = places.get_mut(field.number as usize) {
                *known = place as u16 + 1;
            }
        }
        let name = message.full_name().to_owned();
        Layout {
            special: Special::of(&name).filter(|special| special.suits(&fields)),
            is_entry: message.is_map_entry(),
            has_required: fields.iter().any(|field| field.is_required),
            name,
            fields,
            places,
            by_name,
        }
    }

    fn kind(&mut self, declared: &Declared, waiting: &mut Vec<MessageDescriptor>) -> Kind {
        match declared {
            Declared::Double => Kind::Double,
            Declared::Float => Kind::Float,
            Declared::Int32 => Kind::Int32,
            Declared::Int64 => Kind::Int64,
            Declared::Uint32 => Kind::Uint32,
            Declared::Uint64 => Kind::Uint64,
            Declared::Sint32 => Kind::Sint32,
            Declared::Sint64 => Kind::Sint64,
            Declared::Fixed32 => Kind::Fixed32,
            Declared::Fixed64 => Kind::Fixed64,
            Declared::Sfixed32 => Kind::Sfixed32,
            Declared::Sfixed64 => Kind::Sfixed64,
            Declared::Bool => Kind::Bool,
            Declared::String => Kind::String,
            Declared::Bytes => Kind::Bytes,
            Declared::Enum(kind) if kind.full_name() == "google.protobuf.NullValue" => Kind::Null,
            Declared::Enum(kind) => {
                let is_closed = kind.parent_file().syntax() == Syntax::Proto2;
                Kind::Enum(kind.clone(), is_closed)
            }
            Declared::Message(message) => Kind::Message(self.place(message, waiting)),
        }
    }
}

impl Layout {
    /// The field of this number, as its place in `fields`.
    #[inline]
    pub fn place(&self, number: u32) -> Option<usize> {
        match self.places.get(number as usize) {
            Some(place) => (*place as usize).checked_sub(1),
            None if (number as usize) < DENSE => None,
            None => self.fields.binary_search_by_key(&number, |field| field.number).ok(),
        }
    }

    /// The field of this number, if the wire type is one that it can have.
    #[inline]
    pub fn known(&self, number: u32, wire: Wire) -> Option<usize> {
        self.place(number).filter(|&place| self.fields[place].takes(wire))
    }

    /// The field of this `.proto` or JSON name, as its place in `fields`.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Field {
    #[inline]
    fn takes(&self, wire: Wire) -> bool {
        // A repeated scalar is read packed and unpacked, whichever it is declared as.
        let is_packable = || {
            self.shape == Shape::List
                && matches!(self.wire, Wire::Varint | Wire::Fixed32 | Wire::Fixed64)
        };
        wire == self.wire || wire == Wire::Length && is_packable()
    }
}

impl Kind {
    fn wire(&self) -> Wire {
        match self {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64,
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32,
            Kind::String | Kind::Bytes | Kind::Message(_) => Wire::Length,
            _ => Wire::Varint,
        }
    }
}

impl Special {
    fn of(name: &str) -> Option<Special> {
        Some(match name.strip_prefix("google.protobuf.")? {
            "Any" => Special::Any,
            "Timestamp" => Special::Timestamp,
            "Duration" => Special::Duration,
            "FieldMask" => Special::FieldMask,
            "Struct" => Special::Struct,
            "Value" => Special::Value,
            "ListValue" => Special::ListValue,
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value"
            | "UInt32Value" | "BoolValue" | "StringValue" | "BytesValue" => Special::Wrapper,
            _ => return None,
        })
    }

    /// Whether the fields are those that Google's own file defines: any file may define what it likes.
    fn suits(self, fields: &[Field]) -> bool {
        let is_singular = |field: &Field| field.shape == Shape::Singular;
        match (self, fields) {
            (Special::Any, [url, value]) => {
                matches!((&url.kind, &value.kind), (Kind::String, Kind::Bytes))
                    && fields.iter().all(is_singular)
            }
            (Special::Timestamp | Special::Duration, [seconds, nanos]) => {
                matches!((&seconds.kind, &nanos.kind), (Kind::Int64, Kind::Int32))
                    && (seconds.number, nanos.number) == (1, 2)
                    && fields.iter().all(is_singular)
            }
            (Special::FieldMask, [paths]) => {
                matches!(paths.kind, Kind::String) && paths.shape == Shape::List
            }
            (Special::Struct, [fields]) => fields.shape == Shape::Map,
            (Special::ListValue, [values]) => values.shape == Shape::List,
            (Special::Value, fields) => {
                fields.iter().map(|field| field.number).eq(1..=6)
                    && fields.iter().all(|field| is_singular(field) && field.oneof == Some(0))
            }
            (Special::Wrapper, [value]) => {
                is_singular(value) && value.number == 1 && !matches!(value.kind, Kind::Message(_))
            }
            _ => false,
        }
    }
}
