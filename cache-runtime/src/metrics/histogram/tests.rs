//! What is in which bucket.

use std::time::Duration;

use crate::metrics::Histogram;
use crate::metrics::histogram::buckets::{BUCKETS, Buckets, Measure, SIZES};

#[test]
fn a_measurement_is_in_the_bucket_below_its_bound() {
    let durations = Buckets::of_durations();
    for us in [0, 50, 51, 60_000_000, 60_000_001] {
        durations.took(Duration::from_micros(us));
    }
    let counted: Vec<_> = durations.snapshot().buckets().map(|(_, count)| count).collect();
    assert_eq!((counted[0], counted[1], counted[18], counted[19]), (2, 1, 1, 1));
    assert_eq!((durations.snapshot().overflow(), durations.snapshot().count()), (1, 5));
    let sizes = Buckets::of_sizes();
    for bytes in [64, 65, 1 << 26, (1 << 26) + 1] {
        sizes.record(bytes, 1);
    }
    let counted: Vec<_> = sizes.snapshot().buckets().map(|(_, count)| count).collect();
    assert_eq!(counted.len(), SIZES.len() + 1);
    assert_eq!((counted[0], counted[1], counted[10], counted[11]), (1, 1, 1, 1));
}

#[test]
fn bounds_ascend_and_quantiles_are_bounds() {
    for measure in [Measure::Duration, Measure::Size] {
        assert!(measure.bounds().is_sorted() && measure.bounds().len() < BUCKETS);
    }
    let durations = Buckets::of_durations();
    assert_eq!(durations.snapshot().quantile(0.5), None);
    (1..=1000).for_each(|ms| durations.took(Duration::from_millis(ms)));
    let histogram = durations.snapshot();
    assert_eq!(histogram.quantile(0.5), Some(0.5));
    assert_eq!((histogram.quantile(0.0), histogram.quantile(1.0)), (Some(0.001), Some(1.0)));
    assert!((histogram.sum() - 500.5).abs() < 1e-9);
    durations.took(Duration::MAX);
    assert_eq!(durations.snapshot().quantile(1.0), Some(f64::INFINITY));
}

#[test]
fn histograms_add_up_and_can_be_read_as_json() {
    let (one, other) = (Buckets::of_durations(), Buckets::of_durations());
    one.took(Duration::from_micros(40));
    other.took(Duration::from_secs(100));
    let mut both = Histogram::default();
    both.merge(&one.snapshot());
    both.merge(&other.snapshot());
    both.merge(&{
        let size = Buckets::of_sizes();
        size.record(7, 1);
        size.snapshot()
    });
    let json = serde_json::to_value(both).unwrap_or_default();
    let expected = serde_json::json!({
        "unit": "s", "count": 2, "sum": 100.000_04, "buckets": {"0.00005": 1, "+Inf": 1},
    });
    assert_eq!(json, expected);
}
