//! A pickle is read without a panic, and what was read is written and read again as it was.

use wirespool::wire::pickle::{self, Limits, Progress, Splitter};
use wirespool::wire::value::Value;
use wirespool::wire::{FaultKind, json};

/// The bytes of one pickle, or of none.
pub fn holds(bytes: &[u8]) {
    let limits = Limits::default();
    let decoded = pickle::decode(bytes, &limits);
    let (_, fault) = pickle::salvage(bytes, &limits);
    assert_eq!(fault.as_ref(), decoded.as_ref().err());
    agrees_with_splitter(bytes, &limits);
    // Never a panic, whatever the type; what it says is tested elsewhere.
    let _ = pickle::from_slice::<serde_pickle::Value>(bytes);
    if let Ok(value) = decoded {
        survives(&value);
    }
}

/// What splitter and machine owe each other.
pub fn agrees_with_splitter(bytes: &[u8], limits: &Limits) {
    let decoded = pickle::decode(bytes, limits);
    match Splitter::new(limits).feed(bytes) {
        Progress::Complete { consumed } if consumed == bytes.len() => {
            if let Err(fault) = decoded {
                assert_ne!(fault.kind, FaultKind::Truncated, "{fault}");
            }
        }
        Progress::Complete { consumed } => {
            let fault = decoded.expect_err("bytes after the end");
            assert!(fault.at <= consumed, "{fault} after {consumed}");
        }
        Progress::NeedMore => {
            let fault = decoded.expect_err("no end");
            assert!(fault.kind != FaultKind::Truncated || fault.at == bytes.len(), "{fault}");
        }
        Progress::Failed(expected) => {
            let fault = decoded.expect_err("no pickle");
            assert_ne!(fault.kind, FaultKind::Truncated, "{fault}, not {expected}");
            if fault != expected {
                // Something was wrong before, for which one has to know what the stack holds.
                assert!(fault.at <= expected.at, "{fault}, not {expected}");
            }
        }
    }
}

/// As JSON and, where it is plain data, as a pickle of each protocol.
fn survives(value: &Value) {
    let text = json::to_string(value);
    match json::parse(&text) {
        Ok(again) => assert!(is_same(&again, value, &text), "{text}"),
        Err(error) => panic!("{error}: {text}"),
    }
    // How deep a cycle is depends on where one begins to look, and so on how it is written.
    let mut limits = Limits::default();
    limits.set("depth", 30_000).expect("a limit there is");
    for protocol in 0..=5 {
        match pickle::encode(value, protocol) {
            Ok(written) => match pickle::decode(&written, &limits) {
                Ok(again) => assert!(is_same(&again, value, &text), "protocol {protocol}: {text}"),
                Err(fault) => panic!("protocol {protocol}: {fault}: {text}"),
            },
            Err(error) => {
                let reason = error.to_string();
                let known = ["objects cannot be encoded", "an integer of more than"];
                assert!(known.iter().any(|words| reason.contains(words)), "{reason}: {text}");
            }
        }
    }
}

/// JSON and protocol 0 know one NaN, a value has 2^53 of them.
fn is_same(again: &Value, value: &Value, text: &str) -> bool {
    again == value || text.contains(r#"{"$float":"nan"}"#) && json::to_string(again) == text
}
