//! When things are due: every time is counted from the start of the replay, so that delays never add
//! up. Sans-I/O: instants come in as arguments.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::{Error, Result};

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How fast to replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast as recorded; above 0.
    Factor(f64),
    /// As fast as the other end allows.
    Max,
}

impl Speed {
    /// As recorded.
    pub const RECORDED: Speed = Speed::Factor(1.0);

    /// So many times as fast as recorded.
    ///
    /// # Errors
    /// [`Error::Usage`] unless it is a finite number above 0.
    pub fn factor(factor: f64) -> Result<Speed> {
        if factor.is_finite() && factor > 0.0 {
            Ok(Speed::Factor(factor))
        } else {
            Err(Error::Usage(format!("a speed is a number above 0, or max; {factor} is neither")))
        }
    }
}

impl FromStr for Speed {
    type Err = Error;

    fn from_str(given: &str) -> Result<Speed> {
        match given {
            "max" => Ok(Speed::Max),
            _ => Speed::factor(given.strip_suffix('x').unwrap_or(given).parse().map_err(|_| {
                Error::Usage(format!("a speed is a number above 0, or max; {given:?} is neither"))
            })?),
        }
    }
}

/// The replay's clock: recorded times to instants.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    start: Instant,
    speed: Speed,
}

impl Pace {
    /// Recorded time zero is `start`.
    pub fn new(start: Instant, speed: Speed) -> Pace {
        Pace { start, speed }
    }

    /// When something recorded `at` after the recording's beginning is due.
    pub fn due(&self, at: Duration) -> Instant {
        match self.speed {
            Speed::Max => self.start,
            // A speed near zero asks for more time than there is.
            Speed::Factor(factor) => {
                let wait = Duration::try_from_secs_f64(at.as_secs_f64() / factor);
                later(self.start, wait.unwrap_or(Duration::MAX))
            }
        }
    }

    /// The same speed, begun so that something recorded `at` is due at `now`: the clock of a role that
    /// starts when the other end does.
    pub fn anchored(&self, at: Duration, now: Instant) -> Pace {
        let elapsed = self.due(at).duration_since(self.start);
        Pace { start: now.checked_sub(elapsed).unwrap_or(now), speed: self.speed }
    }
}

/// `by` after `from`; a century after it where the clock reaches no further, which is as good as never.
pub(super) fn later(from: Instant, by: Duration) -> Instant {
    from.checked_add(by).unwrap_or_else(|| from + CENTURY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_speed_halves_every_distance_from_the_start() {
        let start = Instant::now();
        let pace = Pace::new(start, Speed::Factor(2.0));
        assert_eq!(pace.due(Duration::from_secs(10)), start + Duration::from_secs(5));
        let pace = Pace::new(start, Speed::Factor(0.5));
        assert_eq!(pace.due(Duration::from_secs(10)), start + Duration::from_secs(20));
    }

    #[test]
    fn a_speed_is_a_number_above_zero_or_max() {
        assert_eq!("max".parse::<Speed>().unwrap(), Speed::Max);
        assert_eq!("0.5".parse::<Speed>().unwrap(), Speed::Factor(0.5));
        assert_eq!("10x".parse::<Speed>().unwrap(), Speed::Factor(10.0));
        for given in ["0", "-1", "nan", "inf", "fast", ""] {
            let message = given.parse::<Speed>().unwrap_err().to_string();
            assert!(message.contains("number above 0"), "{given}: {message}");
        }
    }

    #[test]
    fn more_time_than_the_clock_has_is_no_panic() {
        let now = Instant::now();
        assert!(later(now, Duration::MAX) > now);
        assert_eq!(later(now, Duration::from_secs(1)), now + Duration::from_secs(1));
        let pace = Pace::new(Instant::now(), Speed::Factor(f64::MIN_POSITIVE));
        pace.due(Duration::from_secs(1));
        pace.due(Duration::ZERO);
    }
}
