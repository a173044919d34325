//! Fields that serde does not show.
//!
//! `#[serde(skip)]` leaves nothing behind in what a type serializes: values that differ in such a
//! field look the same, and would share a key. But the fields that it does show are references into
//! the struct. Between them lies padding, of which no piece is as long as the struct's alignment;
//! where a longer piece is left over, there is another field.
//!
//! This finds no small field that fits into the padding of others, and looks at nothing but structs
//! in their own place, with fields in theirs: not at enums, at what is behind a pointer, in a list
//! or in a map (their elements are handed on as references), at what is flattened, or at fields
//! that are serialized `with` a function.

use std::any::type_name;
use std::ops::Range;
use std::ptr;

use crate::key::canonical::types;

/// A value about to be serialized: what type it has, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) ty: &'static str,
    place: Range<usize>,
    align: usize,
}

impl Subject {
    pub(super) fn of<T: ?Sized>(value: &T) -> Self {
        Self { ty: type_name::<T>(), place: place(value), align: align_of_val(value) }
    }
}

/// The places of a struct's fields, as far as they tell.
#[derive(Debug)]
pub(super) struct Fields {
    of: Subject,
    /// `None` if something is serialized that is no field in its place.
    places: Option<Vec<Range<usize>>>,
}

impl Fields {
    /// Of a type that serializes as the struct `name`.
    pub(super) fn of(subject: Subject, name: &str) -> Self {
        let (krate, last) = types::ends(subject.ty);
        // Another name is that of a pointer or wrapper around the struct. What the standard library
        // leaves out does not count, such as whether a range has been iterated over.
        let is_struct = last == name && !matches!(krate, "alloc" | "core" | "std");
        Self { of: subject, places: is_struct.then(Vec::new) }
    }

    /// A field that is serialized.
    pub(super) fn add<T: ?Sized>(&mut self, field: &T) {
        // A marker says nothing about the place around it.
        if size_of_val(field) == 0 {
            return;
        }
        let (field, of) = (place(field), &self.of.place);
        let is_inside = of.start <= field.start && field.end <= of.end;
        if is_inside && let Some(places) = &mut self.places {
            places.push(field);
        } else {
            self.places = None;
        }
    }

    /// A field that is left out for its value, and says so.
    pub(super) fn leave_out(&mut self) {
        self.places = None;
    }

    /// The struct's type, if it has another field for certain.
    pub(super) fn skipped(self) -> Option<&'static str> {
        let Self { of, places } = self;
        let mut places = places?;
        places.sort_unstable_by_key(|place| place.start);
        let mut end = of.place.start;
        for place in places {
            if place.start.saturating_sub(end) >= of.align {
                return Some(of.ty);
            }
            end = end.max(place.end);
        }
        (of.place.end.saturating_sub(end) >= of.align).then_some(of.ty)
    }
}

fn place<T: ?Sized>(value: &T) -> Range<usize> {
    let start = ptr::from_ref(value).addr();
    start..start + size_of_val(value)
}
