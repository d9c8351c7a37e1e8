//! `--dry-run`: what would be played, a line a step.

use std::io::{self, Write};
use std::time::Instant;

use super::printer::written;
use crate::Result;
use crate::replay::{Action, Conversation, Pace, Script, Speed};
use crate::session::Side;
use crate::wire::{Codec, visible};

/// The most of a message that is shown, in characters.
const SHOWN: usize = 60;

/// Prints what a player of `ours` would do, and expect, at which second.
pub(super) fn print(script: &Script, ours: Side, speed: Speed, across_gaps: bool) -> Result<()> {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let printed = script
        .conversations
        .iter()
        .try_for_each(|one| conversation(&mut out, one, ours, speed, across_gaps))
        .and_then(|()| {
            script.absent.iter().try_for_each(|one| {
                writeln!(out, "connection {one}: not played; it is not in the capture")
            })
        })
        .and_then(|()| out.flush());
    written(printed)
}

/// Prints what the captures lack.
pub(super) fn print_damage(damage: &[String]) -> Result<()> {
    let mut out = anstream::stdout().lock();
    written(damage.iter().try_for_each(|one| writeln!(out, "tainted: {one}")))
}

fn conversation(
    out: &mut impl Write,
    conversation: &Conversation,
    ours: Side,
    speed: Speed,
    across_gaps: bool,
) -> io::Result<()> {
    let Conversation { connection, client, server, formats, .. } = conversation;
    let start = Instant::now();
    let pace = Pace::new(start, speed);
    let seconds = |due| (pace.due(due) - start).as_secs_f64();
    write!(out, "connection {connection}: as the {ours}, {client} to {server}, {formats}, ")?;
    writeln!(out, "opens at {:.3} s", seconds(conversation.due))?;
    for taint in conversation.taints() {
        writeln!(out, "  tainted: {taint}")?;
    }
    if !conversation.gaps.is_empty() && !across_gaps {
        return writeln!(out, "  not played; play what is there with --across-gaps");
    }
    for step in &conversation.steps {
        let verb = match (&step.action, step.side == ours) {
            (Action::Send(_), true) => "send",
            (Action::Send(_), false) => "expect",
            (Action::Eof, true) => "close",
            (Action::Eof, false) => "expect the close",
            (Action::Reset, true) => "reset",
            (Action::Reset, false) => "expect a reset",
        };
        write!(out, "  {:>9.3} s  ", seconds(step.due))?;
        match &step.action {
            Action::Send(message) => {
                let (index, size) = (message.index, message.raw.len());
                let shown = match &message.body {
                    Ok(value) if *message.format.codec() != Codec::Raw => {
                        message.format.write_json(value)
                    }
                    _ => message.raw.escape_ascii().to_string(),
                };
                let shown = visible(&shown);
                let end = shown.char_indices().nth(SHOWN).map_or(shown.len(), |(end, _)| end);
                let more = if end < shown.len() { "…" } else { "" };
                writeln!(out, "{verb:6}  message {index}, {size} bytes  {}{more}", &shown[..end])?;
            }
            Action::Eof | Action::Reset => writeln!(out, "{verb}")?,
        }
    }
    Ok(())
}
