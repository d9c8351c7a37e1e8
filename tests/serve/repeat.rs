//! Recorded connections are played again and again.

use super::support::Line::*;
use super::support::playing::{script_of, serve_as};
use super::{exchange, soon, talk};
use wirespool::replay::{Comparison, Matching, Outcome, Serving};

const FIRST: [super::Line<'_>; 4] = exchange!(b"hi\n", b"first\n");
const SECOND: [super::Line<'_>; 4] = exchange!(b"hi\n", b"second\n");
const OTHER: [super::Line<'_>; 4] = exchange!(b"ho\n", b"other\n");

fn repeating(matching: Matching) -> Serving {
    Serving { matching, repeat: true, ..Serving::default() }
}

#[test]
fn in_order_they_are_played_in_turn() {
    let serving = Serving { connections: Some(5), ..repeating(Matching::Order) };
    let (receipt, heard) =
        serve_as(script_of("text/line", &[&FIRST, &SECOND]), soon(), serving, |address| {
            [(); 5].map(|()| talk(address, "hi\n"))
        });
    assert_eq!(heard.concat(), "first\nsecond\nfirst\nsecond\nfirst\n");
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let plays: Vec<u64> = receipt.connections.iter().map(|one| one.plays).collect();
    assert_eq!(plays, [3, 2]);
    assert_eq!((receipt.connections[0].sent, receipt.connections[0].matched), (3, 3));
    assert!(receipt.to_string().contains("connection 0: verified, played 3 times"), "{receipt}");
}

#[test]
fn by_content_those_that_begin_alike_take_turns_and_others_any_number() {
    let serving = repeating(Matching::Content);
    let closing = serving.closing.clone();
    let script = script_of("text/line", &[&FIRST, &OTHER, &SECOND]);
    let (receipt, heard) = serve_as(script, soon(), serving, move |address| {
        let heard =
            ["ho\n", "hi\n", "ho\n", "hi\n", "ho\n", "hi\n"].map(|said| talk(address, said));
        closing.request();
        heard
    });
    assert_eq!(heard.concat(), "other\nfirst\nother\nsecond\nother\nfirst\n");
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let plays: Vec<u64> = receipt.connections.iter().map(|one| one.plays).collect();
    assert_eq!(plays, [2, 3, 1]);
}

#[test]
fn what_was_never_played_has_failed() {
    let serving = repeating(Matching::Content);
    let closing = serving.closing.clone();
    let (receipt, ()) =
        serve_as(script_of("text/line", &[&FIRST, &OTHER]), soon(), serving, move |address| {
            talk(address, "hi\n");
            closing.request();
        });
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert_eq!(receipt.connections[1].plays, 0);
    assert!(receipt.connections[1].failures[0].contains("no client came"), "{receipt}");
}

#[test]
fn one_bad_play_among_good_ones_fails_and_the_words_do_not_grow() {
    let serving = repeating(Matching::Order);
    let closing = serving.closing.clone();
    let (receipt, ()) =
        serve_as(script_of("text/line", &[&FIRST]), soon(), serving, move |address| {
            talk(address, "hi\n");
            for number in 0..50 {
                talk(address, &format!("number {number}\n"));
            }
            talk(address, "hi\n");
            closing.request();
        });
    let one = &receipt.connections[0];
    assert_eq!((receipt.outcome, one.plays), (Outcome::Failed, 52), "{receipt}");
    assert_eq!((one.matched, one.differing), (2, 50));
    assert_eq!(one.differences.len(), Comparison::KEPT);
}

#[test]
fn a_stop_ends_it() {
    let options = soon();
    let stop = options.stop.clone();
    let serving = repeating(Matching::Order);
    let (receipt, ()) =
        serve_as(script_of("text/line", &[&FIRST]), options, serving, move |address| {
            talk(address, "hi\n");
            talk(address, "hi\n");
            stop.request();
        });
    assert_eq!(receipt.connections[0].plays, 2, "{receipt}");
}
