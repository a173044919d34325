//! Types of other crates that can be part of a key, each with the feature that has the crate's
//! name.

#[cfg(feature = "uuid")]
impl super::KeyPart for uuid::Uuid {
    fn write(&self, segment: &mut super::Segment<'_>) {
        segment.text(self.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
    }
}

#[cfg(feature = "ulid")]
impl super::KeyPart for ulid::Ulid {
    fn write(&self, segment: &mut super::Segment<'_>) {
        segment.text(self.array_to_str(&mut [0; ulid::ULID_LEN]));
    }
}

#[cfg(feature = "url")]
impl super::KeyPart for url::Url {
    fn write(&self, segment: &mut super::Segment<'_>) {
        segment.text(self.as_str());
    }
}

#[cfg(feature = "rust_decimal")]
impl super::KeyPart for rust_decimal::Decimal {
    fn write(&self, segment: &mut super::Segment<'_>) {
        // A column of two decimals gives back `1.50` for `1.5`: a write must find the entry of the
        // read.
        segment.text(&self.normalize().to_string());
    }
}

#[cfg(feature = "axum")]
mod axum {
    use axum::Json;
    use axum::extract::{Path, Query};

    use crate::key::{KeyPart, Segment};

    macro_rules! extractors {
        ($($extractor:ident),*) => {$(
            impl<P: KeyPart> KeyPart for $extractor<P> {
                fn write(&self, segment: &mut Segment<'_>) {
                    self.0.write(segment);
                }
            }
        )*};
    }
    extractors!(Path, Query, Json);
}

#[cfg(feature = "chrono")]
mod chrono {
    use chrono::{
        DateTime, Datelike, FixedOffset, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
        Timelike, Utc, Weekday,
    };

    use crate::key::{KeyPart, Segment, moment};

    impl KeyPart for NaiveDate {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&date(*self));
        }
    }

    impl KeyPart for NaiveTime {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&clock(*self));
        }
    }

    impl KeyPart for NaiveDateTime {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&(date(self.date()) + &clock(self.time())));
        }
    }

    impl KeyPart for DateTime<Utc> {
        fn write(&self, segment: &mut Segment<'_>) {
            let local = self.naive_utc();
            segment.text(&(date(local.date()) + &clock(local.time()) + &moment::offset(0)));
        }
    }

    impl KeyPart for DateTime<FixedOffset> {
        fn write(&self, segment: &mut Segment<'_>) {
            let (utc, offset) = (self.naive_utc(), self.offset().local_minus_utc());
            let (local, mark) = match utc.checked_add_offset(*self.offset()) {
                Some(local) => (local, ""),
                // At the ends of the calendar there is no local time.
                None => (utc, "Z"),
            };
            segment.text(
                &(date(local.date()) + &clock(local.time()) + mark + &moment::offset(offset)),
            );
        }
    }

    impl KeyPart for TimeDelta {
        fn write(&self, segment: &mut Segment<'_>) {
            let (seconds, nanos) = (self.num_seconds(), self.subsec_nanos());
            let is_negative = seconds < 0 || nanos < 0;
            segment.text(&moment::span(is_negative, seconds.unsigned_abs(), nanos.unsigned_abs()));
        }
    }

    impl KeyPart for Weekday {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&self.to_string());
        }
    }

    impl KeyPart for Month {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(self.name());
        }
    }

    fn date(date: NaiveDate) -> String {
        moment::date(date.year(), date.month(), date.day())
    }

    fn clock(time: NaiveTime) -> String {
        moment::clock(time.hour(), time.minute(), time.second(), time.nanosecond())
    }
}

#[cfg(feature = "time")]
mod time {
    use time::{
        Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, Weekday,
    };

    use crate::key::{KeyPart, Segment, moment};

    impl KeyPart for Date {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&date(*self));
        }
    }

    impl KeyPart for Time {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&clock(*self));
        }
    }

    impl KeyPart for PrimitiveDateTime {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&(date(self.date()) + &clock(self.time())));
        }
    }

    impl KeyPart for UtcDateTime {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&(date(self.date()) + &clock(self.time()) + &moment::offset(0)));
        }
    }

    impl KeyPart for OffsetDateTime {
        fn write(&self, segment: &mut Segment<'_>) {
            let offset = moment::offset(self.offset().whole_seconds());
            segment.text(&(date(self.date()) + &clock(self.time()) + &offset));
        }
    }

    impl KeyPart for Duration {
        fn write(&self, segment: &mut Segment<'_>) {
            let (seconds, nanos) = (self.whole_seconds(), self.subsec_nanoseconds());
            segment.text(&moment::span(
                self.is_negative(),
                seconds.unsigned_abs(),
                nanos.unsigned_abs(),
            ));
        }
    }

    impl KeyPart for Weekday {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&self.to_string());
        }
    }

    impl KeyPart for Month {
        fn write(&self, segment: &mut Segment<'_>) {
            segment.text(&self.to_string());
        }
    }

    fn date(date: Date) -> String {
        moment::date(date.year(), u8::from(date.month()).into(), date.day().into())
    }

    fn clock(time: Time) -> String {
        let (hour, minute, second, nanos) = time.as_hms_nano();
        moment::clock(hour.into(), minute.into(), second.into(), nanos)
    }
}
