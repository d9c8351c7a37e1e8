//! Amounts for a person.

/// `1 packet`, `2 packets`.
pub(super) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Bytes a second, with three digits that count, in powers of 1000: `442 B/s`, `1.25 MB/s`.
pub(super) fn a_second(bytes: f64) -> String {
    // From 999.5 on the next unit is nearer.
    let units = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];
    let mut amount = bytes;
    let mut unit = units[0];
    for larger in &units[1..] {
        if amount < 999.5 {
            break;
        }
        (amount, unit) = (amount / 1000.0, larger);
    }
    format!("{} {unit}", decimal(amount))
}

/// A number with three digits that count, or all before the point.
pub(super) fn decimal(amount: f64) -> String {
    let places = match amount {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{amount:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_the_unit_that_fits() {
        for (bytes, words) in [
            (0.004, "0.00 B/s"),
            (9.99, "9.99 B/s"),
            (9.996, "10.0 B/s"),
            (99.96, "100 B/s"),
            (442.3, "442 B/s"),
            (999.6, "1.00 kB/s"),
            (12_345.0, "12.3 kB/s"),
            (1_250_000.0, "1.25 MB/s"),
            (1e18, "1000000 TB/s"),
        ] {
            assert_eq!(a_second(bytes), words);
        }
    }
}
