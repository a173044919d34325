//! The queues, as programs of several releases spell them out.

use crate::policy::QueueSite;

/// A queue of programs that differ in how many partitions they want it to have.
pub(super) type Sites = [QueueSite; 4];

/// The number of those that do not differ.
const USUAL: u32 = 2;

const fn site(name: &'static str, partitions: u32) -> QueueSite {
    QueueSite::new("simulation::queues", name)
        .partitions(partitions)
        .batch(3)
        .linger_ms(5)
        .lease_ms(1_000)
        .push_timeout_ms(400)
        .max_attempts(2)
}

/// One for each number of partitions.
macro_rules! sites {
    ($name:literal $(, $option:ident($($value:expr)?))*) => {
        [
            site($name, USUAL)$(.$option($($value)?))*,
            site($name, 3)$(.$option($($value)?))*,
            site($name, 1)$(.$option($($value)?))*,
            site($name, 4)$(.$option($($value)?))*,
        ]
    };
}

pub(super) static COUNTS: Sites = sites!("counts", keep_all(), unavailable_is_error());
pub(super) static COPIED: Sites = sites!("copied", keep_all(), unavailable_is_error(), replicas(1));
pub(super) static DIRECT: Sites = sites!("direct", keep_all());
pub(super) static NARROW: Sites = sites!("narrow", keep_all(), unavailable_is_error(), max_len(6));
pub(super) static ROWS: Sites = sites!("rows");
