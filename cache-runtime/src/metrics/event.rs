//! The events that are counted.

use crate::metrics::list::function_counters;

macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $field:ident: $event:ident => $metric:literal, $label:ident = $value:literal;
    )*) => {
        /// Something that happened in a call of a function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub(crate) enum Event {
            $($(#[$doc])* $event,)*
        }

        impl Event {
            pub(crate) const COUNT: usize = [$(Self::$event),*].len();
        }
    };
}
function_counters!(events);
