//! Whether two rates differ by more than chance.

/// Whether `failed` of `all` on one side and on the other differ clearly: the chi-squared test with
/// Yates's correction, at one in twenty (3.841 with one degree of freedom). In whole numbers, so that it
/// is the same everywhere.
pub(crate) fn is_clear((failed, all): (u64, u64), (other_failed, other_all): (u64, u64)) -> bool {
    let wide = u128::from;
    let (a, b) = (wide(failed), wide(all.saturating_sub(failed)));
    let (c, d) = (
        wide(other_failed),
        wide(other_all.saturating_sub(other_failed)),
    );
    let count = a + b + c + d;
    let cross = a.saturating_mul(d).abs_diff(b.saturating_mul(c));
    let corrected = cross.saturating_sub(count / 2);
    let margins = [a + b, c + d, a + c, b + d];
    let margins = margins.into_iter().fold(1, u128::saturating_mul);
    let statistic = corrected
        .saturating_mul(corrected)
        .saturating_mul(count)
        .saturating_mul(1000);
    margins > 0 && statistic > margins.saturating_mul(3841)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_flows_show_nothing_and_many_show_little_things() {
        assert!(!is_clear((3, 5), (0, 5)));
        assert!(!is_clear((1, 1), (0, 1)));
        assert!(is_clear((30, 50), (0, 50)));
        assert!(is_clear((0, 10), (10, 10)));
        assert!(!is_clear((500, 1000), (510, 1000)));
        assert!(is_clear((500, 1000), (600, 1000)));
        assert!(!is_clear((0, 0), (5, 5)) && !is_clear((5, 5), (7, 7)));
    }

    #[test]
    fn the_largest_numbers_do_no_harm() {
        is_clear((u64::MAX, u64::MAX), (0, u64::MAX));
    }
}
