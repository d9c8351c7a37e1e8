//! What is predicted of programs that take one read for one message.

mod support;

use std::time::Duration;

use support::Line::{self, *};
use support::feed;
use wirespool::Format;
use wirespool::message::explain::{
    Explainer, Explanation, Finding, Prediction, Reading, Trouble, Unknown,
};

/// `{"1": 25}` as protocol 2 pickles it.
const PICKLE: &[u8] = b"\x80\x02}q\x00X\x01\x00\x00\x001q\x01K\x19s.";
/// `device_id: 1, event_id: 2`.
const EVENT: &[u8] = b"\x08\x01\x10\x02";

fn explained(format: &str, recv: u64, lines: &[Line<'_>]) -> Explanation {
    let mut explainer = Explainer::new(Format::parse(format).unwrap(), recv);
    feed(&mut explainer, 0, Duration::from_millis(20), lines).unwrap();
    explainer.conclude().unwrap()
}

/// How many were right, how many wrong, and where it ended, by reading.
fn tallies(found: &Explanation) -> [(u64, u64, Option<u64>); 2] {
    let [prediction] = &found.predictions[..] else { panic!("{:?}", found.predictions) };
    prediction
        .tallies
        .each_ref()
        .map(|one| (one.right, one.wrong, one.stopped.map(|place| place.offset)))
}

fn finding(found: &Explanation, reading: Reading, trouble: Trouble) -> &Finding {
    let is_it = |one: &&Finding| one.reading == Some(reading) && one.trouble == trouble;
    found.findings.iter().find(is_it).unwrap_or_else(|| panic!("{:?}", found.findings))
}

fn only(found: &Explanation) -> &Prediction {
    assert_eq!(found.predictions.len(), 1);
    &found.predictions[0]
}

#[test]
fn a_message_in_each_chunk_is_right_at_once_and_merged_for_who_is_held_up() {
    let found = explained("pickle", 4096, &[Client(PICKLE); 5]);
    assert_eq!(tallies(&found), [(5, 0, None), (2, 0, None)]);
    let lost = finding(&found, Reading::HeldUp, Trouble::Lost);
    assert_eq!((lost.reads, lost.messages, lost.places[0].messages), (1, 3, 4));
    assert_eq!(only(&found).closest, Some(Duration::from_millis(20)));
    assert_eq!(found.findings.len(), 1);
}

#[test]
fn of_many_pickles_the_first_is_taken_and_a_read_that_begins_inside_one_raises() {
    let many = PICKLE.repeat(31);
    let found = explained("pickle", 100, &[Client(PICKLE), Client(&many), Client(PICKLE)]);
    let length = PICKLE.len() as u64;
    assert_eq!(tallies(&found), [(2, 0, Some(length + 100)); 2]);
    let lost = finding(&found, Reading::AtOnce, Trouble::Lost);
    assert_eq!((lost.reads, lost.messages, lost.places[0].offset), (1, 100 / length - 1, length));
    assert!(lost.places[0].ends_inside && !lost.places[0].begins_inside);
    // Who catches the exception and reads on loses more.
    let raises = finding(&found, Reading::AtOnce, Trouble::Raises);
    assert_eq!(raises.reads, 31 * length / 100);
    assert!(raises.places[0].begins_inside);
}

#[test]
fn a_pickle_longer_than_a_read_is_found_however_it_is_read() {
    let mut long = b"\x80\x02X\x88\x13\x00\x00".to_vec();
    long.extend([b'a'; 5000]);
    long.push(b'.');
    let found = explained("pickle", 4096, &[Client(&long)]);
    assert_eq!(tallies(&found), [(0, 0, Some(0)); 2]);
    let oversized = found.findings.iter().find(|one| one.trouble == Trouble::Oversized).unwrap();
    assert_eq!((oversized.reading, oversized.places[0].size), (None, 5008));
}

#[test]
fn bytes_out_of_the_middle_may_be_a_value_that_nobody_sent() {
    // The end of this pickle's text is a pickle of protocol 0.
    let pickle = b"\x80\x02X\x04\x00\x00\x00abN.q\x00.";
    let found = explained("pickle", 9, &[Client(pickle)]);
    let part = finding(&found, Reading::AtOnce, Trouble::Part);
    assert_eq!((part.places[0].offset, part.places[0].size), (9, 5));
}

#[test]
fn protobufs_merge_in_silence_where_a_read_ends_with_one_and_raise_where_it_does_not() {
    let many = EVENT.repeat(5);
    let found = explained("protobuf:pb.TempEvent", 8, &[Client(EVENT), Client(&many)]);
    assert_eq!(only(&found).messages, 6);
    // 4, 8, 8 and 4 bytes.
    assert_eq!(tallies(&found), [(2, 2, None); 2]);
    let merged = finding(&found, Reading::AtOnce, Trouble::Merged);
    assert_eq!((merged.reads, merged.messages), (2, 4));
    let found = explained("protobuf:pb.TempEvent", 7, &[Client(EVENT), Client(&many)]);
    assert_eq!(tallies(&found), [(1, 0, Some(4)); 2]);
    assert!(finding(&found, Reading::AtOnce, Trouble::Raises).places[0].ends_inside);
}

#[test]
fn a_protobuf_cut_between_fields_is_taken_for_a_whole_one() {
    let found = explained("protobuf:pb.TempEvent", 2, &[Client(EVENT)]);
    assert_eq!(tallies(&found), [(0, 2, None); 2]);
    assert_eq!(finding(&found, Reading::AtOnce, Trouble::Part).reads, 2);
}

#[test]
fn protobufs_without_a_schema_are_what_came_at_once() {
    let found = explained("protobuf", 4096, &[Client(EVENT); 3]);
    assert_eq!(tallies(&found), [(3, 0, None), (1, 1, None)]);
}

#[test]
fn a_character_cut_by_the_end_of_a_read_raises_and_whole_ones_are_clumped() {
    let text = "щ".repeat(600);
    let found = explained("text", 1024, &[Client("й".as_bytes()), Client(text.as_bytes())]);
    // Two bytes each, and 1,024 of them.
    assert_eq!(tallies(&found), [(1, 2, None); 2]);
    let odd = format!("a{text}");
    let found = explained("text", 1024, &[Client("й".as_bytes()), Client(odd.as_bytes())]);
    assert_eq!(tallies(&found), [(1, 0, Some(2)); 2]);
    let found = explained("text", 1024, &[Client("й".as_bytes()); 4]);
    assert_eq!(tallies(&found), [(4, 0, None), (1, 1, None)]);
    assert_eq!(finding(&found, Reading::HeldUp, Trouble::Clumped).messages, 3);
}

#[test]
fn a_line_cut_in_two_is_two_values_that_nobody_sent() {
    let found = explained("text/line", 4096, &[Client(b"one\n"), Client(b"tw"), Client(b"o\n")]);
    assert_eq!(tallies(&found), [(1, 2, None), (2, 0, None)]);
    assert_eq!(finding(&found, Reading::AtOnce, Trouble::Part).reads, 2);
}

#[test]
fn a_length_in_front_does_not_help_who_reads_once() {
    let one = [&[0, 0, 0, PICKLE.len() as u8], PICKLE].concat();
    let two = one.repeat(2);
    let lines = [Client(&one), Client(&two), Client(&one[..9]), Client(&one[9..])];
    let found = explained("pickle/u32be", 4096, &lines);
    let [at_once, _] = tallies(&found);
    assert_eq!(at_once, (2, 0, Some(3 * one.len() as u64)));
    let event = [&[4], EVENT].concat().repeat(2);
    let found = explained("protobuf:pb.TempEvent/varint", 4096, &[Client(&event)]);
    let [(right, ..), _] = tallies(&found);
    assert_eq!(right, 0);
}

#[test]
fn who_answers_each_message_is_not_held_up() {
    let lines = [Client(PICKLE), Server(PICKLE)].repeat(3);
    let found = explained("pickle", 4096, &lines);
    assert_eq!(found.predictions.len(), 2);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    for prediction in &found.predictions {
        assert!(prediction.tallies.iter().all(|one| (one.reads, one.right) == (3, 3)));
    }
}

#[test]
fn nothing_is_predicted_of_what_follows_missing_bytes() {
    let (head, tail) = PICKLE.split_at(5);
    let lines = [Client(PICKLE), Client(head), Gap(3), Client(&tail[3..]), Client(PICKLE)];
    let found = explained("pickle", 4096, &lines);
    assert_eq!(only(&found).unknown, Some(Unknown::Gap));
    assert_eq!((only(&found).messages, tallies(&found)), (1, [(1, 0, None); 2]));
}

#[test]
fn a_message_that_goes_on_beyond_the_captures_end_is_no_trouble() {
    let found = explained("pickle", 4096, &[Client(PICKLE), Client(&PICKLE[..5]), Cut]);
    assert_eq!((only(&found).unknown, tallies(&found)[0]), (Some(Unknown::Cut), (1, 0, None)));
}

#[test]
fn without_a_format_nothing_is_predicted() {
    for format in ["raw", "auto"] {
        let found = explained(format, 4096, &[Client(b"\x00\x01\xff")]);
        assert_eq!(only(&found).unknown, Some(Unknown::NoFormat), "{format}");
        assert!(found.findings.is_empty());
    }
}

#[test]
fn a_pickle_that_nobody_can_decode_is_not_the_reads_fault() {
    let found =
        explained("pickle", 4096, &[Client(PICKLE), Client(b"\x80\x02\xff."), ClientCloses]);
    assert_eq!(tallies(&found)[0], (1, 0, Some(PICKLE.len() as u64)));
    assert_eq!(finding(&found, Reading::AtOnce, Trouble::Undecodable).reads, 1);
}

#[test]
fn of_much_trouble_the_first_places_are_kept_and_the_rest_is_counted() {
    let two = PICKLE.repeat(2);
    let found = explained("pickle", 4096, &vec![Client(&two); 1000]);
    let lost = finding(&found, Reading::AtOnce, Trouble::Lost);
    assert_eq!((lost.reads, lost.messages, lost.places.len()), (1000, 1000, 10));
}

#[test]
fn of_a_message_in_very_many_pieces_no_more_than_a_bound_is_kept() {
    let mut begun = b"\x80\x02X".to_vec();
    begun.extend(10_000_000_u32.to_le_bytes());
    let more = [b'a'; 1000];
    let mut lines = vec![Client(PICKLE), Client(&begun)];
    lines.resize(400, Client(&more));
    let found = explained("pickle", 1, &lines);
    assert_eq!(only(&found).unknown, Some(Unknown::Pieces));
    assert_eq!((only(&found).messages, tallies(&found)[0]), (1, (0, 0, Some(0))));
}
