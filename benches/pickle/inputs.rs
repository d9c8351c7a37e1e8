//! Pickles as programs make them, of about a megabyte each.

use wirespool::wire::pickle;
use wirespool::wire::value::{Node, NodeId, Value};

use crate::operations::Operation;

pub struct Input {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub operations: &'static [Operation],
}

pub fn all() -> Vec<Input> {
    use Operation::*;
    vec![
        Input {
            name: "telemetry",
            bytes: telemetry(20_000),
            operations: &[Tree, Split, Typed, Serde],
        },
        Input { name: "small", bytes: small(100_000), operations: &[Split, Stream] },
    ]
}

/// A list of readings, whose names the memo keeps.
fn telemetry(count: usize) -> Vec<u8> {
    let mut value = Value::new();
    let names = ["device", "name", "at", "celsius", "ok", "count"];
    let names = names.map(|name| value.add_str(name));
    let readings = (0..count).map(|number| {
        let fields = [
            value.add(Node::Int((number % 300) as i64)),
            value.add_str(&format!("sensor-{}", number % 300)),
            value.add(Node::Float(1_700_000_000.0 + number as f64 / 10.0)),
            value.add(Node::Float(20.0 + (number % 100) as f64 / 10.0)),
            value.add(Node::Bool(number % 7 > 0)),
            value.add(Node::Int(number as i64)),
        ];
        dict(&mut value, names.into_iter().zip(fields))
    });
    let readings = readings.collect::<Vec<_>>();
    let root = value.add_list(&readings);
    value.set_root(root);
    pickle::encode(&value, pickle::DEFAULT_PROTOCOL).expect("plain data")
}

/// Pickles of two entries, back to back.
fn small(count: usize) -> Vec<u8> {
    let pickles = (0..count).map(|number| {
        let mut value = Value::new();
        let entries = [("1", number % 200), ("2", 60)];
        let entries =
            entries.map(|(name, field)| (value.add_str(name), value.add(Node::Int(field as i64))));
        let root = dict(&mut value, entries.into_iter());
        value.set_root(root);
        pickle::encode(&value, pickle::DEFAULT_PROTOCOL).expect("plain data")
    });
    pickles.collect::<Vec<_>>().concat()
}

fn dict(value: &mut Value, entries: impl Iterator<Item = (NodeId, NodeId)>) -> NodeId {
    value.add_dict(&entries.collect::<Vec<_>>())
}
