//! Two recorded sessions, compared as a replay compares a live one with a recorded one.

use super::compare::Comparison;
use super::receipt::{ConnectionReceipt, Outcome, Receipt};
use super::rules::Rules;
use super::script::{Action, Conversation, Gap, Script};
use crate::session::{Side, Timestamp};
use crate::wire::Arrival;

/// The role in the receipt: nothing is played.
pub(super) const DIFF: &str = "diff";

/// What `got` has otherwise than `expected`: connections are paired in the order in which they began, and
/// of each the messages of both sides are compared. Where nothing was compared, it has failed.
pub fn diff(expected: &Script, got: &Script, rules: &Rules) -> Receipt {
    let pairs = expected.conversations.len().max(got.conversations.len());
    let connections = (0..pairs).filter_map(|index| {
        match (expected.conversations.get(index), got.conversations.get(index)) {
            (Some(expected), Some(got)) => Some(compare(expected, got, rules)),
            (Some(expected), None) => Some(only(expected, Place::First)),
            (None, Some(got)) => Some(only(got, Place::Second)),
            (None, None) => None,
        }
    });
    // One that only one of them lacks is a connection too many of the other.
    let absent = expected.absent.iter().filter(|one| got.absent.contains(one)).map(|one| {
        let failures = vec!["not compared: neither capture has such a connection".to_owned()];
        let absent = ConnectionReceipt::absent(*one, Side::Client);
        ConnectionReceipt { role: DIFF, failures, ..absent }
    });
    let mut receipt = Receipt::new(connections.chain(absent).collect());
    receipt.role = DIFF;
    if receipt.is_ok() && receipt.connections.iter().all(|one| one.compared == 0) {
        receipt.outcome = Outcome::Failed;
        receipt.notes.push("nothing was compared".to_owned());
    }
    receipt
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    First,
    Second,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::First => "first",
            Place::Second => "second",
        }
    }
}

/// A connection that the other capture does not have.
fn only(conversation: &Conversation, place: Place) -> ConnectionReceipt {
    let mut receipt = blank(conversation);
    if place == Place::Second {
        receipt.expected = 0;
        receipt.unexpected_bytes = Side::BOTH.map(|side| bytes_of(conversation, side)).iter().sum();
    }
    receipt.missed = receipt.expected;
    receipt.failures.push(format!("only the {} capture has it", place.name()));
    receipt
}

/// A connection of which nothing has been compared yet.
fn blank(conversation: &Conversation) -> ConnectionReceipt {
    let mut receipt = ConnectionReceipt::planned(conversation, Side::Client);
    receipt.role = DIFF;
    receipt.expected += receipt.planned;
    (receipt.planned, receipt.missed) = (0, 0);
    receipt
}

fn bytes_of(conversation: &Conversation, side: Side) -> u64 {
    let messages = conversation.steps.iter().filter_map(|step| step.message_of(side));
    messages.map(|message| message.raw.len() as u64).sum()
}

fn compare(expected: &Conversation, got: &Conversation, rules: &Rules) -> ConnectionReceipt {
    let mut receipt = blank(expected);
    receipt.gaps += got.gaps.len() as u64;
    let taints = [(Place::First, expected.taints()), (Place::Second, got.taints())];
    receipt.tainted = taints
        .into_iter()
        .flat_map(|(place, taints)| {
            taints.into_iter().map(move |taint| format!("in the {} capture, {taint}", place.name()))
        })
        .collect();
    let mut unused: Option<Vec<String>> = None;
    for side in Side::BOTH {
        if let Some(gap) =
            got.gaps.iter().find(|gap| gap.side == side && !expected.gaps.contains(gap))
        {
            receipt.missed += expected.messages(side);
            receipt.failures.push(format!(
                "the {side} was not compared: the second capture lacks bytes of it from offset {} on \
                 that the first one has",
                gap.offset
            ));
            continue;
        }
        let comparison = read_through(expected, got, side, rules);
        let found_nothing = comparison.unused();
        unused = Some(match unused {
            None => found_nothing,
            Some(unused) => {
                unused.into_iter().filter(|rule| found_nothing.contains(rule)).collect()
            }
        });
        receipt.add(comparison);
        compare_ends(expected, got, side, &mut receipt);
    }
    receipt.unused = unused.unwrap_or_default();
    // As the two talked, not one side after the other.
    receipt.differences.sort_by_key(|one| (one.index.or(one.after), one.index.is_none()));
    receipt.decide();
    receipt
}

/// Compares what `side` said.
fn read_through<'a>(
    expected: &'a Conversation,
    got: &Conversation,
    side: Side,
    rules: &'a Rules,
) -> Comparison<'a> {
    let mut comparison = Comparison::new(expected, side, rules);
    let mut gaps = got.gaps.iter().filter(|gap| gap.side == side).peekable();
    let mut arrival = Arrival::default();
    for message in got.steps.iter().filter_map(|step| step.message_of(side)) {
        while let Some(gap) = gaps.next_if(|gap| gap.offset <= message.offset) {
            pass(&mut comparison, arrival, gap);
        }
        arrival = Arrival { at: message.time, frame: message.frame };
        if got.formats.of(side) != expected.formats.of(side) {
            // Framed otherwise, so that its bytes tell nothing.
            comparison.take_message(message);
            continue;
        }
        comparison.take(arrival, &message.raw);
        // It ended here, so that no silence must be waited for.
        comparison.expire(Timestamp(i64::MAX));
    }
    comparison.end();
    comparison
}

/// Passes over what both captures lack.
fn pass(comparison: &mut Comparison<'_>, arrival: Arrival, gap: &Gap) {
    const PIECE: [u8; 4096] = [0; 4096];
    let mut left = gap.length.unwrap_or(0);
    while left > 0 {
        let length = left.min(PIECE.len() as u64);
        comparison.take(arrival, &PIECE[..length as usize]);
        left -= length;
    }
}

/// An end that both captures show is the same one.
fn compare_ends(
    expected: &Conversation,
    got: &Conversation,
    side: Side,
    receipt: &mut ConnectionReceipt,
) {
    match (end_of(expected, side), end_of(got, side)) {
        (Some(one), Some(other)) if one != other => {
            receipt
                .failures
                .push(format!("the {side} {one} in the first capture, and {other} in the second"));
        }
        (Some(one), None) if !got.cut => {
            receipt.notes.push(format!("the {side} {one} in the first capture only"));
        }
        (None, Some(other)) if !expected.cut => {
            receipt.notes.push(format!("the {side} {other} in the second capture only"));
        }
        _ => {}
    }
}

/// How a side ended at last, in words.
fn end_of(conversation: &Conversation, side: Side) -> Option<&'static str> {
    let ends = conversation.steps.iter().rev().filter(|step| step.side == side);
    ends.map(|step| &step.action).find_map(|action| match action {
        Action::Send(_) => None,
        Action::Eof => Some("closed"),
        Action::Reset => Some("reset the connection"),
    })
}
