//! Medians, percentiles and intervals: pure.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2000;

/// The middle value, between the two middle ones when their number is even. `None` without samples.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        _ => Some(sorted[middle]),
    }
}

/// The least sample that `percent` of all samples do not exceed (nearest rank). `None` without samples.
pub(crate) fn percentile(samples: &[f64], percent: f64) -> Option<f64> {
    let sorted = sorted(samples);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The 95 % interval of a statistic by the percentile bootstrap. The same samples always give the same
/// interval. `None` when the statistic has no value.
pub(crate) fn interval(
    samples: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Option<(f64, f64)> {
    statistic(samples)?;
    let mut random = StdRng::seed_from_u64(0x0072_6f6f_6d64);
    let mut resample = vec![0.0; samples.len()];
    let values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            for place in &mut resample {
                *place = samples[random.random_range(0..samples.len())];
            }
            statistic(&resample)
        })
        .collect();
    Some((percentile(&values, 2.5)?, percentile(&values, 97.5)?))
}

/// The straight line through points by least squares: where it begins (at 0), and its slope. `None` with fewer than two
/// different places.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    let slope = together / spread;
    slope.is_finite().then_some((y - slope * x, slope))
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_percentile_is_a_sample_that_so_many_do_not_exceed() {
        let samples: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&samples, 50.0), Some(100.0));
        assert_eq!(percentile(&samples, 95.0), Some(190.0));
        assert_eq!(percentile(&samples, 99.0), Some(198.0));
        assert_eq!(percentile(&samples, 100.0), Some(200.0));
        assert_eq!(percentile(&[7.0], 1.0), Some(7.0));
        assert_eq!(percentile(&[], 99.0), None);
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let (begin, slope) = line(&[(1.0, 12.0), (2.0, 14.0), (4.0, 18.0)]).unwrap();
        assert!((begin - 10.0).abs() < 1e-9 && (slope - 2.0).abs() < 1e-9);
        assert_eq!(line(&[(1.0, 2.0)]), None);
        assert_eq!(line(&[]), None);
    }

    #[test]
    fn equal_samples_leave_nothing_open() {
        assert_eq!(interval(&[1.5; 8], median), Some((1.5, 1.5)));
        assert_eq!(interval(&[], median), None);
    }

    #[test]
    fn more_samples_make_the_interval_smaller() {
        let wave =
            |count: u32| -> Vec<f64> { (0..count).map(|n| f64::from(n * 37 % 101)).collect() };
        let width = |samples: &[f64]| {
            let (low, high) = interval(samples, median).unwrap();
            high - low
        };
        assert!(width(&wave(1000)) < width(&wave(10)) / 2.0);
    }

    proptest! {
        #[test]
        fn an_interval_lies_among_the_samples_and_around_the_median(samples in prop::collection::vec(-1e6..1e6f64, 1..40)) {
            let (low, high) = interval(&samples, median).unwrap();
            let middle = median(&samples).unwrap();
            prop_assert!(percentile(&samples, 0.0).unwrap() <= low);
            prop_assert!(high <= percentile(&samples, 100.0).unwrap());
            prop_assert!(low <= middle && middle <= high);
        }
    }
}
