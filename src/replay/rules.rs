//! What counts as equal, as the user says it.

use std::fmt;
use std::str::FromStr;

use super::carry::Carry;
use super::path::Path;
use crate::{Error, Result};

/// How messages are compared. The default compares values, and ignores nothing.
///
/// Equality is that of typed values: 1 is neither 1.0 nor "1". Sets and mappings are equal in any order,
/// lists are not. What a rule says holds where its path leads, and nowhere else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// What of a message is compared.
    pub compare: Compare,
    /// What is left out of both messages before they are compared.
    pub ignore: Vec<Path>,
    /// Where numbers may differ, and by how much.
    pub tolerance: Vec<Tolerance>,
    /// Which lists may be in any order.
    pub unordered: Vec<Path>,
    /// Which values are taken from live messages into what is sent. Where a value is taken from is not
    /// compared: that a fresh one is there is the point of it.
    pub carry: Vec<Carry>,
}

impl Rules {
    /// Refuses rules that could do nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] where values are not compared, but a path into them is given.
    pub fn check(&self) -> Result<()> {
        let given = [
            ("ignore", self.ignore.is_empty()),
            ("tolerance", self.tolerance.is_empty()),
            ("unordered", self.unordered.is_empty()),
        ];
        match given.iter().find(|(_, is_empty)| !is_empty) {
            Some((option, _)) if self.compare != Compare::Values => Err(Error::Usage(format!(
                "{option} is about values; it does nothing where what is compared is {}",
                self.compare
            ))),
            _ => Ok(()),
        }
    }
}

/// What of a message is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// Its value, where the format has one; else its bytes.
    #[default]
    Values,
    /// Its bytes.
    Bytes,
    /// Nothing: only that something came is looked at.
    None,
}

impl Compare {
    /// All of them.
    pub const ALL: [Compare; 3] = [Compare::Values, Compare::Bytes, Compare::None];

    /// `values`, `bytes` or `none`.
    pub fn name(self) -> &'static str {
        match self {
            Compare::Values => "values",
            Compare::Bytes => "bytes",
            Compare::None => "none",
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Compare {
    type Err = Error;

    fn from_str(given: &str) -> Result<Compare> {
        Compare::ALL.into_iter().find(|one| one.name() == given).ok_or_else(|| {
            Error::Usage(format!("{given:?} cannot be compared; it is values, bytes or none"))
        })
    }
}

/// Where numbers may differ, and by how much: `PATH=N`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// Where.
    pub path: Path,
    /// By how much: finite, and not below 0.
    pub amount: f64,
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.amount)
    }
}

impl FromStr for Tolerance {
    type Err = Error;

    fn from_str(given: &str) -> Result<Tolerance> {
        let refuse = |reason: &str| {
            Error::Usage(format!(
                "{given:?} is no tolerance: {reason}; write PATH=N as temp_cel=0.5"
            ))
        };
        // A path may compare things with == itself.
        let (path, amount) = given.rsplit_once('=').ok_or_else(|| refuse("it has no ="))?;
        let amount: f64 =
            amount.trim().parse().map_err(|_| refuse("what follows the last = is no number"))?;
        if !amount.is_finite() || amount < 0.0 {
            return Err(refuse("N is a finite number, 0 or more"));
        }
        Ok(Tolerance { path: Path::parse(path)?, amount })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_split_at_its_last_equals_sign() {
        let tolerance: Tolerance = "$[?@.kind=='temp'].value=0.5".parse().unwrap();
        assert_eq!(
            (tolerance.amount, tolerance.path.to_string().as_str()),
            (0.5, "$[?@.kind=='temp'].value")
        );
        for given in ["a", "a=", "a=-1", "a=inf", "a=nan", "a=b", "=1"] {
            assert!(given.parse::<Tolerance>().is_err(), "{given}");
        }
    }

    #[test]
    fn paths_into_what_is_not_compared_are_refused() {
        let ignore = vec![Path::parse("time").unwrap()];
        let rules = Rules { compare: Compare::Bytes, ignore, ..Rules::default() };
        assert!(rules.check().unwrap_err().to_string().contains("ignore is about values"));
        assert!(Rules { compare: Compare::None, ..Rules::default() }.check().is_ok());
    }
}
