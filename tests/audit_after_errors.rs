//! What stands after an error in a pickle, as CPython's more lenient unpicklers read it: each of these
//! bytes was seen to look up the name.

use wirespool::wire::pickle::{self, Limits};

/// The names of all requests; empty for one that is not written out.
fn names(bytes: &[u8]) -> Vec<String> {
    let audit = pickle::audit(bytes, &Limits::default());
    assert!(audit.fault().is_some(), "{audit:?}");
    let global = |request| audit.global(request);
    let written = |global: Option<(&str, &str)>| match global {
        Some((module, name)) => format!("{module}.{name}"),
        None => String::new(),
    };
    audit.requests().iter().map(global).map(written).collect()
}

fn frame(length: u64) -> Vec<u8> {
    [&b"\x95"[..], &length.to_le_bytes()].concat()
}

#[test]
fn a_name_behind_straddles_of_both_kinds_is_found() {
    // From a file CPython 3.8 and later read bytes that straddle a frame's end on, and text anew behind it. Who
    // reads both in one way takes the name for payload.
    let (open, close) = (frame(5), frame(5));
    let text = [&b"y".repeat(37)[..], b"C\x09y"].concat();
    let pickle =
        [b"\x80\x04", &open[..], b"C\x06abcdef0", &close, b"\x8c\x28xxx", &text, b"0cm!\nf\n."];
    assert!(names(&pickle.concat()).contains(&"m!.f".to_owned()));
}

#[test]
fn a_name_is_found_whichever_straddles_are_read_on() {
    // From a file with a small buffer each may be read in its own way: here the first one is read anew
    // behind the frame, and the second one on.
    let frame = frame(5);
    let swallowed = [&b"y".repeat(37)[..], b"C\x7fy"].concat();
    let second = [&frame[..], b"\x8c\x05xxxyy0cm!\nf\nN."].concat();
    let pickle = [b"\x80\x04", &frame[..], b"\x8c\x28xxx", &swallowed, b"0", &second].concat();
    assert!(names(&pickle).contains(&"m!.f".to_owned()));
}

#[test]
fn a_pickle_behind_the_frame_that_the_one_before_left_is_found() {
    // A file's frame is taken at once: the next pickle begins behind it.
    let pickle = [b"\x80\x04", &frame(5)[..], b"N.C\x07z", b"cm!\nf\n."].concat();
    assert!(names(&pickle).contains(&"m!.f".to_owned()));
}

#[test]
fn an_index_of_the_memo_that_is_spelt_oddly_makes_no_other_name() {
    // CPython takes `1_0` for 10, so that `MEMOIZE` counts one more than without it.
    let texts = b"\x8c\x02os\x94\x8c\x08builtins\x94\x8c\x06system\x94\x8c\x03len\x94";
    for odd in ["1_0", " 10", "+10"] {
        let pickle = [b"\x80\x04I1_0\nNp", odd.as_bytes(), b"\n0", texts, b"h\x01h\x03\x93."];
        let names = names(&pickle.concat());
        assert!(matches!(&*names, [name] if name.is_empty() || name == "os.system"), "{names:?}");
    }
}

#[test]
fn a_name_that_is_written_with_escapes_is_found_as_it_is_meant() {
    assert_eq!(names(b"I1_0\n0V\\u006fs\nVsy\\u0073tem\n\x93."), ["os.system"]);
    assert_eq!(names(b"I1_0\n0S'o\\x73'\nS'sy\\163tem'\n\x93."), ["os.system"]);
    assert_eq!(names(b"I1_0\n0V\xc3\xa9\nVf\n\x93."), ["Ã©.f"]);
}

#[test]
fn a_name_of_any_length_is_found() {
    let long = "path.os.".repeat(1_000);
    let pickle = format!("I1_0\n0cos\n{long}system\n.");
    let names = names(pickle.as_bytes());
    assert!(matches!(&*names, [name] if name.starts_with("os.path.os.") && name.ends_with('…')));
}

#[test]
fn a_name_from_the_memo_of_another_pickle_is_found_for_both_ways_to_read_the_next() {
    // One unpickler keeps its memo; `pickle.load` begins with none.
    let pickle =
        b"\x80\x04I1_0\n0\x8c\x02os\x94.\x8c\x08builtins\x94\x8c\x06system\x94h\0h\x01\x93.";
    let names = names(pickle);
    assert!(names.contains(&"builtins.system".to_owned()), "{names:?}");
    assert!(names.contains(&"os.builtins".to_owned()), "{names:?}");
}

#[test]
fn hostile_straddles_do_not_take_long() {
    let piece = [&frame(2)[..], b"V1\n0"].concat();
    let names = names(&[&piece.repeat(100_000)[..], b"cm\nf\n."].concat());
    assert!(names.contains(&"m.f".to_owned()));
}
