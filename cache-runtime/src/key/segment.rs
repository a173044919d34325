//! The writer of one value in a key.

use crate::key::KeyPart;
use crate::support::escape::{self, Surroundings};

/// The writer that a [`KeyPart`] writes itself to. It escapes everything.
#[derive(Debug)]
pub struct Segment<'a> {
    out: &'a mut String,
    /// The template's character behind this placeholder, where a value might contain it.
    next: Option<char>,
    /// How many lists we are inside; commas separate their items.
    depth: usize,
    /// Texts are written without the white space around them.
    pub(super) trim: bool,
    /// Texts are written in lower case.
    pub(super) lower: bool,
}

impl<'a> Segment<'a> {
    pub(crate) fn new(out: &'a mut String, next: Option<char>) -> Self {
        Self { out, next, depth: 0, trim: false, lower: false }
    }

    /// Writes a path, whose colons are kept.
    pub(crate) fn path(&mut self, path: &str) {
        escape::push_path(self.out, path, self.around());
    }

    /// Writes text, escaped.
    pub fn text(&mut self, text: &str) {
        let text = if self.trim { text.trim() } else { text };
        if self.lower { self.escaped(&text.to_lowercase()) } else { self.escaped(text) }
    }

    fn escaped(&mut self, text: &str) {
        escape::push(self.out, text, self.around());
    }

    fn around(&self) -> Surroundings {
        Surroundings { next: self.next, in_list: self.depth > 0 }
    }

    /// Writes an ordered list of values, such that different lists never look alike.
    pub fn list<P: KeyPart>(&mut self, items: impl IntoIterator<Item = P>) {
        self.items(|list| items.into_iter().for_each(|item| list.item(&item)));
    }

    /// Writes values whose order means nothing, such that the same ones look alike, however they
    /// are held.
    pub(super) fn set<P: KeyPart>(&mut self, items: impl IntoIterator<Item = P>) {
        let mut texts: Vec<_> = items.into_iter().map(|item| self.item_text(&item)).collect();
        texts.sort_unstable();
        // With `:lower`, different elements can be one.
        texts.dedup();
        self.items(|list| {
            for text in texts {
                list.out.push_str(&text);
                list.out.push(',');
            }
        });
    }

    /// The text of a list's item.
    fn item_text(&self, item: &impl KeyPart) -> String {
        let (mut out, depth) = (String::new(), self.depth + 1);
        item.write(&mut Segment { out: &mut out, depth, ..*self });
        out
    }

    /// Writes the values of a struct's fields, or the name of an enum's variant and those of its
    /// fields.
    #[doc(hidden)]
    pub fn record(&mut self, variant: Option<&str>, fields: &[&dyn KeyPart]) {
        match variant {
            Some(name) if fields.is_empty() => self.escaped(name),
            _ => self.items(|list| {
                if let Some(name) = variant {
                    list.escaped(name);
                    list.out.push(',');
                }
                for field in fields {
                    list.item(*field);
                }
            }),
        }
    }

    pub(super) fn items(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.depth += 1;
        write(self);
        self.depth -= 1;
        self.out.push('>');
    }

    pub(super) fn item(&mut self, item: &(impl KeyPart + ?Sized)) {
        item.write(self);
        self.out.push(',');
    }

    /// `None` is `<->`. So that `Some(None)` differs, a present value that begins with `<-` gets
    /// one more dash.
    pub(super) fn option<P: KeyPart>(&mut self, value: Option<&P>) {
        let start = self.out.len();
        match value {
            None => self.out.push_str("<->"),
            Some(value) => {
                value.write(self);
                if self.out[start..].starts_with("<-") {
                    self.out.insert(start + 1, '-');
                }
            }
        }
    }
}
