//! Values of several parts.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use crate::key::canonical::encoder::{Done, Refusal, inside, text};
use crate::key::canonical::layout::Fields;

/// What ends a list; neither a value nor a field begins with it.
const END: u8 = b'.';

/// Elements or fields whose order counts.
pub(super) struct List<'a> {
    out: &'a mut Vec<u8>,
    left: u8,
    /// The fields of a struct.
    fields: Option<Fields>,
}

impl<'a> List<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, left: u8, fields: Option<Fields>) -> Self {
        Self { out, left, fields }
    }

    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Done {
        if let Some(fields) = &mut self.fields {
            fields.add(item);
        }
        inside(item, self.out, self.left)
    }

    fn name(&mut self, name: &str) {
        self.out.push(b'=');
        text(name, self.out);
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        self.name(name);
        self.item(value)
    }

    /// A field that is left out for its value; no value is written like that.
    fn no_field(&mut self, name: &str) {
        self.name(name);
        self.out.push(b'-');
        if let Some(fields) = &mut self.fields {
            fields.leave_out();
        }
    }

    fn done(self) -> Done {
        self.out.push(END);
        match self.fields.and_then(Fields::skipped) {
            Some(ty) => Err(Refusal::Skipped(ty)),
            None => Ok(()),
        }
    }
}

/// The entries of a map or the elements of a set, sorted when they are complete.
pub(super) struct Unordered<'a> {
    out: &'a mut Vec<u8>,
    left: u8,
    start: usize,
    /// Where each ends.
    ends: Vec<usize>,
}

impl<'a> Unordered<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, left: u8) -> Self {
        let start = out.len();
        Self { out, left, start, ends: Vec::new() }
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        inside(value, self.out, self.left)
    }

    fn end_one(&mut self) {
        self.ends.push(self.out.len() - self.start);
    }

    fn sort(self) {
        let written = self.out.split_off(self.start);
        let (mut rest, mut begun) = (written.as_slice(), 0);
        let mut parts = Vec::with_capacity(self.ends.len());
        for end in self.ends {
            let (part, tail) = rest.split_at_checked(end - begun).unwrap_or((rest, &[]));
            parts.push(part);
            (rest, begun) = (tail, end);
        }
        parts.sort_unstable();
        // There is no rest, unless a key was written and no value.
        parts.into_iter().chain([rest]).for_each(|part| self.out.extend_from_slice(part));
        self.out.push(END);
    }
}

impl SerializeMap for Unordered<'_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.write(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.write(value)?;
        self.end_one();
        Ok(())
    }

    fn end(self) -> Done {
        self.sort();
        Ok(())
    }
}

/// A sequence, or a set.
pub(super) enum Elements<'a> {
    Ordered(List<'a>),
    Unordered(Unordered<'a>),
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, element: &T) -> Done {
        match self {
            Self::Ordered(list) => list.item(element),
            Self::Unordered(set) => {
                set.write(element)?;
                set.end_one();
                Ok(())
            }
        }
    }

    fn end(self) -> Done {
        match self {
            Self::Ordered(list) => list.done(),
            Self::Unordered(set) => {
                set.sort();
                Ok(())
            }
        }
    }
}

macro_rules! positional {
    ($($trait:ident: $method:ident;)*) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.item(value)
            }

            fn end(self) -> Done {
                self.done()
            }
        }
    )*};
}
positional! {
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

macro_rules! named {
    ($($trait:ident)*) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Done {
                self.field(name, value)
            }

            fn skip_field(&mut self, name: &'static str) -> Done {
                self.no_field(name);
                Ok(())
            }

            fn end(self) -> Done {
                self.done()
            }
        }
    )*};
}
named!(SerializeStruct SerializeStructVariant);
