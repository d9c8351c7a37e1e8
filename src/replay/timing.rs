//! How closely sends kept to the times when they were due, in bounded memory.

use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

/// Errors are known to so many significant digits.
const DIGITS: u8 = 2;

/// How late sends were, as they are counted: some kilobytes for any number of them.
#[derive(Clone, Debug)]
pub struct Timing {
    /// In nanoseconds.
    errors: Histogram<u32>,
    worst: Duration,
    behind: Duration,
}

/// How closely sends kept to their times.
///
/// The error of a send is the time from when it was due, or from when the other end allowed it if that
/// was later, until the call to the system that sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Punctuality {
    /// How many sends were timed.
    pub count: u64,
    /// The error that half of them stayed within.
    #[serde(rename = "p50_us", serialize_with = "microseconds")]
    pub p50: Duration,
    /// The error that 99 in 100 of them stayed within.
    #[serde(rename = "p99_us", serialize_with = "microseconds")]
    pub p99: Duration,
    /// The largest error.
    #[serde(rename = "worst_us", serialize_with = "microseconds")]
    pub worst: Duration,
    /// How far the other end, by what it was waited for, put a send behind its recorded time at most.
    #[serde(rename = "behind_us", serialize_with = "microseconds")]
    pub behind: Duration,
}

impl Timing {
    /// Counts a send made at `sent` that was due at `due`, and that the other end allowed at `allowed`.
    pub(super) fn record(&mut self, due: Instant, allowed: Instant, sent: Instant) {
        let error = sent.saturating_duration_since(due.max(allowed));
        // It grows to hold any value, so it refuses none.
        let _ = self.errors.record(u64::try_from(error.as_nanos()).unwrap_or(u64::MAX));
        self.worst = self.worst.max(error);
        self.behind = self.behind.max(allowed.saturating_duration_since(due));
    }

    /// Counts what `other` counted.
    pub(super) fn add(&mut self, other: &Timing) {
        // Both count to the same digits, and grow as needed.
        let _ = self.errors.add(&other.errors);
        self.worst = self.worst.max(other.worst);
        self.behind = self.behind.max(other.behind);
    }

    /// What came of it; `None` if nothing was timed.
    pub fn summary(&self) -> Option<Punctuality> {
        // The histogram knows values to its digits only, and may round above the largest.
        let within =
            |part| Duration::from_nanos(self.errors.value_at_quantile(part)).min(self.worst);
        (!self.errors.is_empty()).then(|| Punctuality {
            count: self.errors.len(),
            p50: within(0.5),
            p99: within(0.99),
            worst: self.worst,
            behind: self.behind,
        })
    }
}

/// Nothing has been sent yet.
impl Default for Timing {
    fn default() -> Timing {
        let errors = Histogram::new(DIGITS).expect("2 is a number of digits that it can have");
        Timing { errors, worst: Duration::ZERO, behind: Duration::ZERO }
    }
}

/// Its summary.
impl Serialize for Timing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.summary().serialize(serializer)
    }
}

/// The errors in words; how far the other end put it behind is said where a person could notice it.
impl fmt::Display for Punctuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Punctuality { p50, p99, worst, behind, .. } = *self;
        write!(f, "timing error p50 {}, p99 {}, worst {}", Short(p50), Short(p99), Short(worst))?;
        if behind >= Duration::from_millis(1) {
            write!(f, "; up to {} late because the other end was waited for", Short(behind))?;
        }
        Ok(())
    }
}

/// A duration to two digits or three.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = in_microseconds(self.0);
        let (number, unit) = match microseconds {
            ..999.5 => (microseconds, "us"),
            ..999_500.0 => (microseconds / 1e3, "ms"),
            _ => (microseconds / 1e6, "s"),
        };
        let decimals = if number < 9.95 { 1 } else { 0 };
        write!(f, "{number:.decimals$} {unit}")
    }
}

fn in_microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn microseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // To the nanosecond: more is the noise of binary fractions.
    serializer.serialize_f64((in_microseconds(*duration) * 1e3).round() / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    fn timing(errors: impl IntoIterator<Item = u32>) -> Timing {
        let (mut timing, due) = (Timing::default(), Instant::now());
        for error in errors {
            timing.record(due, due, due + MICROSECOND * error);
        }
        timing
    }

    /// Within the two digits that are kept.
    fn close(got: Duration, microseconds: u32) -> bool {
        got.abs_diff(MICROSECOND * microseconds) * 100 <= MICROSECOND * microseconds
    }

    #[test]
    fn errors_are_summed_up_to_two_digits() {
        let summary = timing(1..=1000).summary().unwrap();
        assert!(close(summary.p50, 500), "{summary:?}");
        assert!(close(summary.p99, 990), "{summary:?}");
        assert_eq!((summary.count, summary.worst), (1000, MICROSECOND * 1000));
    }

    #[test]
    fn nothing_sent_is_no_perfect_timing() {
        assert_eq!(timing([]).summary(), None);
    }

    #[test]
    fn an_error_counts_from_when_the_other_end_allowed_the_send() {
        let (mut timing, due) = (Timing::default(), Instant::now());
        timing.record(due, due + MICROSECOND * 3000, due + MICROSECOND * 3007);
        let summary = timing.summary().unwrap();
        assert_eq!((summary.worst, summary.behind), (MICROSECOND * 7, MICROSECOND * 3000));
    }

    #[test]
    fn connections_together_are_counted_send_by_send() {
        let mut both = timing([10; 99]);
        both.add(&timing([90_000]));
        let summary = both.summary().unwrap();
        assert!(close(summary.p99, 10), "{summary:?}");
        assert_eq!((summary.count, summary.worst), (100, MICROSECOND * 90_000));
    }

    #[test]
    fn a_thousand_connections_hours_late_are_a_few_kilobytes_each() {
        let hours = timing([0, 1, u32::MAX]);
        assert!(hours.errors.distinct_values() * size_of::<u32>() < 32 * 1024);
    }

    #[test]
    fn a_person_reads_units_and_a_program_microseconds() {
        let microseconds = |count| MICROSECOND * count;
        let mut summary = Punctuality {
            count: 3,
            p50: Duration::from_nanos(4_160),
            p99: microseconds(88),
            worst: microseconds(1_210),
            behind: microseconds(999),
        };
        let words = "timing error p50 4.2 us, p99 88 us, worst 1.2 ms";
        assert_eq!(summary.to_string(), words);
        summary.behind = microseconds(2_500_000);
        assert_eq!(
            summary.to_string(),
            format!("{words}; up to 2.5 s late because the other end was waited for")
        );
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(
            json,
            r#"{"count":3,"p50_us":4.16,"p99_us":88.0,"worst_us":1210.0,"behind_us":2500000.0}"#
        );
    }
}
