//! How many pickles there were of each sort, and what else counts, in a line.

use std::fmt::Write as _;

use crate::wire::pickle::{Audit, Counts, Verdict};

/// What was found in all files.
#[derive(Debug, Default)]
pub(super) struct Tally {
    plain: u64,
    requesting: u64,
    /// Those that request nothing but what is expected.
    expected: u64,
    unreadable: u64,
    /// Of those that ask for something, how many are broken.
    broken: u64,
    counts: Counts,
    unlisted: u64,
    pub(super) unread: u64,
    pub(super) gaps: u64,
    /// How often other bytes came for the same place.
    pub(super) contradictions: u64,
    /// Files with no pickle in them.
    pub(super) empty: u64,
    /// Files that could not be read.
    pub(super) failed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, audit: &Audit) {
        match audit.verdict() {
            Verdict::PlainData => self.plain += 1,
            Verdict::Requests if audit.is_expected() => self.expected += 1,
            Verdict::Requests => {
                self.requesting += 1;
                self.broken += u64::from(audit.fault().is_some());
                self.counts += audit.counts();
                self.unlisted += audit.unlisted() as u64;
            }
            Verdict::Unreadable => self.unreadable += 1,
        }
    }

    pub(super) fn pickles(&self) -> u64 {
        self.plain + self.requesting + self.expected + self.unreadable
    }

    /// Whether there was something to look at, and none of it is a finding.
    pub(super) fn is_clean(&self) -> bool {
        let broken = self.unreadable + self.unread + self.gaps + self.contradictions;
        let findings = self.requesting + broken + self.empty;
        self.pickles() > 0 && findings == 0
    }

    pub(super) fn summary(&self) -> String {
        let mut parts = Vec::new();
        if self.plain > 0 {
            parts.push(format!("{} plain data only", self.plain));
        }
        if self.expected > 0 {
            let verb = if self.expected == 1 { "requests" } else { "request" };
            parts.push(format!("{} {verb} what is expected", self.expected));
        }
        if self.requesting > 0 {
            let verb = if self.requesting == 1 { "requests" } else { "request" };
            let mut part = format!("{} {verb} {}", self.requesting, self.counts);
            if self.unlisted > 0 {
                let _ = write!(part, " and {} more after an error", self.unlisted);
            }
            if self.broken > 0 {
                let _ = write!(part, " ({} broken)", self.broken);
            }
            parts.push(part);
        }
        if self.unreadable > 0 {
            parts.push(format!("{} unreadable", self.unreadable));
        }
        let mut summary = match self.pickles() {
            0 => "no pickle was found".to_owned(),
            1 => format!("1 pickle: {}", parts.join(", ")),
            pickles => format!("{pickles} pickles: {}", parts.join(", ")),
        };
        if self.unread > 0 {
            let _ = write!(summary, "; {} bytes were not read as pickle", self.unread);
        }
        let rest = [
            (self.gaps, "gap", "gaps"),
            (self.empty, "file without a pickle", "files without a pickle"),
            (self.failed, "file could not be read", "files could not be read"),
        ];
        for (count, one, many) in rest.into_iter().filter(|&(count, ..)| count > 0) {
            let _ = write!(summary, "; {count} {}", if count == 1 { one } else { many });
        }
        if self.contradictions > 0 {
            let times = if self.contradictions == 1 { "time" } else { "times" };
            let _ =
                write!(summary, "; other bytes were sent again {} {times}", self.contradictions);
        }
        summary
    }
}
