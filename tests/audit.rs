//! What pickles ask for: each request by name and place, whatever is broken, shared or hidden.

use proptest::prelude::*;
use wirespool::wire::FaultKind;
use wirespool::wire::pickle::{
    self, Audit, Finding, Limits, Request, RequestKind, Verdict, opcode_name,
};

fn audit(bytes: &[u8]) -> Audit {
    pickle::audit(bytes, &Limits::default())
}

fn json(audit: &Audit) -> serde_json::Value {
    let mut line = String::from("{");
    let mut pieces = |piece: &str| {
        line.push_str(piece);
        Ok(())
    };
    audit.write_json(0, &mut pieces).expect("nothing fails");
    line.push('}');
    serde_json::from_str(&line).expect("JSON")
}

/// Each request by kind, name, opcode and offset.
fn requests(audit: &Audit) -> Vec<(RequestKind, String, &'static str, usize)> {
    let all = audit.requests().iter();
    all.map(|request| (request.kind, name(audit, request), request.opcode_name(), request.offset))
        .collect()
}

fn name(audit: &Audit, request: &Request) -> String {
    audit.global(request).map_or(String::new(), |(module, name)| format!("{module}.{name}"))
}

/// The first and only request.
fn only(audit: &Audit) -> Request {
    let [request] = audit.requests() else { panic!("{audit:?}") };
    *request
}

#[test]
fn a_call_is_a_request_and_the_name_it_calls_is_no_other_one() {
    let audit = audit(b"cos\nsystem\n(S'echo harm'\ntR.");
    let call = (RequestKind::Call, "os.system".to_owned(), "REDUCE", 26);
    assert_eq!(requests(&audit), [call]);
    assert_eq!(only(&audit).kept, Some(true));
    assert_eq!(audit.verdict(), Verdict::Requests);
    assert_eq!(audit.describe(&only(&audit)), "os.system('echo harm')");
    assert!(audit.note(&only(&audit)).is_some_and(|note| note.gadget));
}

#[test]
fn every_way_to_call_is_found_by_its_opcode() {
    for (bytes, opcode) in [
        (&b"cm\nf\n)R."[..], "REDUCE"),
        (b"cm\nf\n)\x81.", "NEWOBJ"),
        (b"cm\nf\n)}\x92.", "NEWOBJ_EX"),
        (b"(cm\nf\no.", "OBJ"),
        (b"(im\nf\n.", "INST"),
        (b"\x8c\x01m\x8c\x01f\x93)R.", "REDUCE"),
    ] {
        let audit = audit(bytes);
        let call = only(&audit);
        assert_eq!((call.kind, call.opcode_name()), (RequestKind::Call, opcode));
        assert_eq!(name(&audit, &call), "m.f");
        assert_eq!(opcode_name(bytes[call.offset]), Some(opcode));
    }
}

#[test]
fn what_refers_outside_the_pickle_is_no_plain_data() {
    for (bytes, kind) in [
        (&b"cm\nf\n."[..], RequestKind::Global),
        (b"cm\nf\n0N.", RequestKind::Global),
        (b"cbuiltins\nset\n.", RequestKind::Global),
        (b"](cbuiltins\nset\ne.", RequestKind::Global),
        (b"cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.", RequestKind::Call),
        (b"Pid\n.", RequestKind::PersistentId),
        (b"K\x01Q.", RequestKind::PersistentId),
        (b"\x82\x01.", RequestKind::Extension),
        (b"\x97.", RequestKind::Buffer),
    ] {
        let audit = audit(bytes);
        assert_eq!(audit.verdict(), Verdict::Requests, "{}", bytes.escape_ascii());
        assert_eq!(only(&audit).kind, kind);
    }
}

#[test]
fn the_names_of_plain_data_at_low_protocols_are_no_requests() {
    for bytes in [
        &b"\x80\x02c__builtin__\nset\nq\0]q\x01(K\x01K\x02e\x85q\x02Rq\x03."[..],
        b"c_codecs\nencode\np0\n(V\xff\np1\nVlatin1\np2\ntp3\nRp4\n.",
        b"\x80\x03cbuiltins\nbytearray\nq\0C\x01qq\x01\x85q\x02Rq\x03.",
        b"\x80\x02c__builtin__\nbytes\nq\0)Rq\x01.",
    ] {
        let audit = audit(bytes);
        assert_eq!(audit.verdict(), Verdict::PlainData, "{audit:?}");
        assert!(audit.requests().is_empty() && audit.fault().is_none());
    }
}

#[test]
fn a_popped_call_is_found_and_its_result_is_discarded() {
    let audit = audit(b"cos\nsystem\n(S'id'\ntR0N.");
    assert_eq!(only(&audit).kept, Some(false));
    assert_eq!(json(&audit)["requests"][0]["result"], "discarded");
}

#[test]
fn a_call_inside_a_call_stands_below_it() {
    // getattr(__import__('os'), 'system')('id')
    let audit = audit(b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(Vos\ntRVsystem\ntR(Vid\ntR.");
    let [outer, getattr, import] = audit.requests() else { panic!("{audit:?}") };
    assert_eq!((outer.parent, outer.depth), (None, 0));
    assert_eq!((getattr.parent, getattr.depth), (Some(0), 1));
    assert_eq!((import.parent, import.depth), (Some(1), 2));
    assert_eq!(name(&audit, getattr), "builtins.getattr");
    assert_eq!(
        audit.describe(outer),
        "(builtins.getattr(builtins.__import__('os'), 'system'))('id')"
    );
    let json = json(&audit);
    assert_eq!(json["requests"][1]["arguments"][0]["$request"], 2);
    assert_eq!(json["requests"][0]["computed"]["$request"], 1);
}

#[test]
fn what_several_requests_use_stands_below_the_first_and_once_in_json() {
    // A list with a call in it, given to two others.
    let audit = audit(b"\x80\x04(](cm\na\n)Re\x940cm\nb\nh\0\x85Rcm\nc\nh\0\x85Rt.");
    let names: Vec<_> = requests(&audit).into_iter().map(|(_, name, ..)| name).collect();
    assert_eq!(names, ["m.b", "m.a", "m.c"]);
    let json = json(&audit);
    assert_eq!(
        json["requests"][0]["arguments"],
        serde_json::json!([{"$id": 1, "value": [{"$request": 1}]}])
    );
    assert_eq!(json["requests"][2]["arguments"], serde_json::json!([{"$ref": 1}]));
}

#[test]
fn arguments_that_hold_their_own_call_are_listed_once() {
    let audit = audit(b"\x80\x04]\x94cm\nf\nh\0\x85R\x94ah\x01.");
    assert_eq!(only(&audit).parent, None);
    let json = json(&audit);
    assert_eq!(json["requests"][0]["arguments"], serde_json::json!([[{"$request": 0}]]));
}

#[test]
fn two_requests_that_hold_each_other_are_both_listed() {
    // a = m.a(); b = m.b(a); a.__setstate__(b)
    let audit = audit(b"\x80\x04cm\na\n)R\x94cm\nb\nh\0\x85R\x940h\0h\x01b.");
    let [first, second] = audit.requests() else { panic!("{audit:?}") };
    assert_eq!((first.parent, second.parent), (None, Some(0)));
}

#[test]
fn build_on_a_global_changes_it_and_is_a_finding() {
    for bytes in
        [&b"csys\nmodules\nVos\nNs."[..], b"cos\nenviron\n}(VPATH\nV/\nub.", b"csys\npath\nV/\na."]
    {
        let audit = audit(bytes);
        let change = only(&audit);
        assert_eq!(change.kind, RequestKind::Change);
        assert_eq!(audit.finding(&change), Some(Finding::ChangedGlobal));
        assert_eq!(json(&audit)["requests"][0]["finding"], "changed_global");
    }
    let audit = audit(b"cos\nenviron\n}b.");
    assert_eq!((only(&audit).opcode_name(), only(&audit).offset), ("BUILD", 13));
}

#[test]
fn a_name_that_a_call_computes_is_a_finding() {
    let audit = audit(b"\x80\x04\x8c\x02os(cm\nf\no\x93\x8c\x02id\x85R.");
    let [call, name, _] = audit.requests() else { panic!("{audit:?}") };
    assert_eq!(call.kind, RequestKind::Call);
    assert_eq!(name.opcode_name(), "STACK_GLOBAL");
    assert_eq!(audit.finding(name), Some(Finding::ComputedName));
}

#[test]
fn what_stands_before_an_error_is_said_and_so_are_names_after_it() {
    let audit = audit(b"cos\nsystem\n(S'id'\ntR0\xff\x8c\x02nt\x94\x8c\x06system\x93)R.cm\nf\n.");
    let fault = audit.fault().expect("a fault");
    assert_eq!((fault.kind, fault.at), (FaultKind::Corrupt, 21));
    let [before, after, last] = audit.requests() else { panic!("{audit:?}") };
    assert_eq!((name(&audit, before).as_str(), before.after_error), ("os.system", false));
    assert_eq!((name(&audit, after).as_str(), after.after_error), ("nt.system", true));
    assert_eq!((name(&audit, last).as_str(), last.after_error), ("m.f", true));
    assert!(audit.requests().iter().all(|request| request.kept.is_none()));
    let json = json(&audit);
    assert_eq!(json["verdict"], "requests");
    assert_eq!(json["error"]["at"], 21);
    assert_eq!(json["requests"][0]["when"], "before_error");
    assert_eq!(json["requests"][1]["when"], "after_error");
}

#[test]
fn names_after_an_error_may_come_from_the_memo_before_it() {
    let audit = audit(b"\x80\x04\x8c\x02os\x940\x8c\x06system\x940\xffh\0h\x01\x93.");
    assert_eq!(
        requests(&audit),
        [(RequestKind::Global, "os.system".to_owned(), "STACK_GLOBAL", 23)]
    );
}

#[test]
fn a_name_that_straddles_a_frame_is_found_in_every_way_that_it_is_read() {
    // PEP 3154 forbids it. CPython's C unpickler reads `os.nothing_system` of bytes, and `os.system` of
    // a file, as it drops what is left of the frame.
    let audit = audit(b"\x80\x04\x95\x0c\0\0\0\0\0\0\0cos\nnothing_system\n(S'id'\ntR.");
    assert_eq!(audit.fault().map(|fault| fault.at), Some(11));
    let names: Vec<_> = requests(&audit).into_iter().map(|(_, name, ..)| name).collect();
    assert_eq!(names, ["os.nothing_system", "os.system"]);
    assert!(audit.requests().iter().all(|request| request.after_error));
}

#[test]
fn a_name_that_the_end_cuts_is_found() {
    // CPython's Python unpickler takes the last byte for the newline, and imports.
    let audit = audit(b"cos\nsystemX");
    assert_eq!(name(&audit, &only(&audit)), "os.system");
}

#[test]
fn what_stands_after_a_key_that_cannot_be_one_is_after_the_error() {
    // Keys are compared last, but CPython would come no further than the list that is one.
    let audit = audit(b"\x80\x04(cm\na\n)R}]Ns0cos\nsystem\n)R0t.");
    assert_eq!(audit.fault().map(|fault| fault.at), Some(13));
    let found: Vec<_> = audit.requests().iter().map(|request| request.after_error).collect();
    let names: Vec<_> = requests(&audit).into_iter().map(|(_, name, ..)| name).collect();
    assert_eq!(names, ["m.a", "os.system"]);
    assert_eq!(found, [false, true]);
}

#[test]
fn what_follows_stop_is_an_error_and_all_before_it_is_known() {
    let audit = audit(b"cm\nf\n)R0N.cos\nsystem\n.");
    assert_eq!(audit.fault().map(|fault| fault.at), Some(10));
    let [before, after] = audit.requests() else { panic!("{audit:?}") };
    assert_eq!((before.kept, before.after_error), (Some(false), false));
    assert_eq!((after.kept, after.after_error), (None, true));
}

#[test]
fn a_pickle_that_is_cut_has_asked_for_what_came() {
    let audit = audit(b"cos\nsystem\n(S'id'\ntR");
    assert_eq!(audit.fault().map(|fault| fault.kind), Some(FaultKind::Truncated));
    assert_eq!(name(&audit, &only(&audit)), "os.system");
}

#[test]
fn what_is_no_pickle_is_unreadable_and_text_is_not_searched_for_names() {
    let audit = audit(b"\xffcos\nsystem\n");
    assert_eq!(audit.verdict(), Verdict::Unreadable);
    assert_eq!(audit.requests(), []);
    assert_eq!(self::audit(b"").verdict(), Verdict::Unreadable);
}

#[test]
fn a_call_with_arguments_that_are_no_tuple_is_shown() {
    let audit = audit(b"cos\nsystem\nVid\nR.");
    assert_eq!(requests(&audit), [(RequestKind::Call, "os.system".to_owned(), "REDUCE", 15)]);
    assert!(audit.fault().is_some());
}

#[test]
fn names_and_arguments_cannot_act_on_a_terminal_or_pose_as_others() {
    let audit = audit("cos\x1b[2J\nsys\u{202e}tem\n(V\\u001b]0;x\nt".as_bytes());
    let audit_of_call = self::audit("cos\x1b[2J\nsys\u{202e}tem\n(V\\u001b]0;x\ntR.".as_bytes());
    for audit in [audit, audit_of_call] {
        let shown = audit.describe(&audit.requests()[0]);
        assert!(!shown.contains(['\x1b', '\u{202e}']), "{shown}");
        assert!(shown.starts_with(r"'os\x1b[2J'.'sys\u202etem'"), "{shown}");
    }
    let audit = self::audit(b"cos.system() #\nx\n)R.");
    assert_eq!(audit.describe(&only(&audit)), "'os.system() #'.x()");
}

#[test]
fn what_is_shown_of_a_request_is_short_whatever_it_holds() {
    let mut bytes = b"cm\nf\n(".to_vec();
    for _ in 0..100_000 {
        bytes.extend(b"X\x05\0\0\0\xe6\xb8\xa9\xc3\xa9");
    }
    bytes.extend(b"tR.");
    let audit = audit(&bytes);
    let shown = audit.describe(&only(&audit));
    assert!(shown.chars().count() <= pickle::SHOWN + 1, "{shown}");
    let arguments = &json(&audit)["requests"][0]["arguments"];
    assert_eq!(arguments.as_array().map(Vec::len), Some(100_000));
}

#[test]
fn one_text_in_many_calls_is_not_written_for_each() {
    let mut bytes = b"\x80\x04X\0\0\x10\0".to_vec();
    bytes.extend(vec![b'a'; 1 << 20]);
    bytes.extend(b"\x940cm\nf\n\x940");
    for _ in 0..1_000 {
        bytes.extend(b"h\x01h\0\x85R0");
    }
    bytes.extend(b"N.");
    let audit = audit(&bytes);
    assert_eq!(audit.requests().len(), 1_000);
    let mut size = 0;
    let mut count = |piece: &str| {
        size += piece.len();
        Ok(())
    };
    audit.write_json(0, &mut count).expect("nothing fails");
    assert!(size < 2 << 20, "{size}");
}

/// Runs on a stack on which nothing recursive gets far.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(test);
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn a_million_bytes_of_calls_are_all_listed_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut bytes = b"cm\nf\n\x940".to_vec();
        bytes.extend(b"h\0)R0".repeat(200_000));
        bytes.extend(b"N.");
        let audit = audit(&bytes);
        assert_eq!(audit.requests().len(), 200_000);
        assert_eq!(json(&audit)["requests"].as_array().map(Vec::len), Some(200_000));
    });
}

#[test]
fn calls_nested_as_deep_as_may_be_are_all_listed_on_a_small_stack() {
    on_a_small_stack(|| {
        let depth = 10_000;
        let mut bytes = b"\x80\x04cm\nf\n\x940".to_vec();
        bytes.extend(b"h\0".repeat(depth));
        bytes.push(b'N');
        bytes.extend(b"\x85R".repeat(depth));
        bytes.push(b'.');
        let mut limits = Limits::default();
        limits.depth = 30_000;
        let audit = pickle::audit(&bytes, &limits);
        assert_eq!(audit.requests().len(), depth);
        assert_eq!(audit.requests().last().map(|request| request.depth), Some(depth - 1));
        audit.requests().iter().for_each(|request| {
            audit.describe(request);
        });
        assert_eq!(json(&audit)["requests"].as_array().map(Vec::len), Some(depth));
        // Beyond the limit it is an error, and what was asked for before it is listed.
        let audit = self::audit(&bytes);
        assert_eq!(audit.fault().map(|fault| fault.kind), Some(FaultKind::Limit));
        assert!(audit.requests().len() > 200);
    });
}

#[test]
fn lines_without_an_end_take_linear_time() {
    let mut bytes = b"\xff".to_vec();
    bytes.insert(0, b'N');
    bytes.extend(vec![b'c'; 8 << 20]);
    let audit = audit(&bytes);
    assert_eq!(audit.verdict(), Verdict::Unreadable);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Opcodes at random: whatever they are, the list fits the bytes and the JSON is JSON.
    #[test]
    fn any_bytes_have_an_audit(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(b"cos\nsystem\n".to_vec()),
                Just(b"\x8c\x01a".to_vec()),
                Just(b"h\0".to_vec()),
                Just(b"\x94".to_vec()),
                Just(b"K\x01".to_vec()),
                prop::sample::select(&b"(.012NRQ]abeostu})\x81\x85\x86\x87\x8f\x90\x91\x92\x93\x97\x98"[..])
                    .prop_map(|byte| vec![byte]),
                prop::collection::vec(any::<u8>(), 0..3),
            ],
            0..60,
        )
    ) {
        let bytes = pieces.concat();
        let audit = audit(&bytes);
        for (number, request) in audit.requests().iter().enumerate() {
            prop_assert_eq!(bytes.get(request.offset), Some(&request.opcode));
            prop_assert!(request.parent.is_none_or(|parent| parent < number));
            audit.describe(request);
            if !request.after_error {
                prop_assert!(audit.fault().is_none_or(|fault| request.offset <= fault.at));
            }
        }
        let decoded = pickle::decode(&bytes, &Limits::default());
        prop_assert_eq!(decoded.err(), audit.fault().cloned());
        json(&audit);
    }
}
