//! Histograms as JSON and the like.

use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::metrics::{Histogram, Histograms};

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Filled<'a>(&'a Histogram);

        impl Serialize for Filled<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for (bound, count) in self.0.buckets().filter(|(_, count)| *count > 0) {
                    map.serialize_entry(&UpperBound(bound).to_string(), &count)?;
                }
                map.end()
            }
        }

        let mut fields = serializer.serialize_struct("Histogram", 4)?;
        fields.serialize_field("unit", self.measure.unit())?;
        fields.serialize_field("count", &self.count())?;
        fields.serialize_field("sum", &self.sum())?;
        fields.serialize_field("buckets", &Filled(self))?;
        fields.end()
    }
}

/// The bound of a bucket, as Prometheus writes it.
pub(crate) struct UpperBound(pub(crate) f64);

impl fmt::Display for UpperBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() { f.write_str("+Inf") } else { write!(f, "{}", self.0) }
    }
}

impl<K: fmt::Display> Serialize for Histograms<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.each.iter().map(|(kind, it)| (kind.to_string(), it)))
    }
}

/// Serializes a duration as whole microseconds.
pub(in crate::metrics) fn as_us<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
