//! What the values of options are kept in.

use super::name::Name;
use super::setting::Setting;
use crate::diagnostics::{Diagnostics, Reported};

/// A place for the values of an option.
pub(super) trait Argument<T> {
    /// Keeps the value of the option `name`, or reports why there is none.
    fn accept(
        &mut self,
        name: &Name,
        value: syn::Result<T>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported>;
}

/// The value of an option that can be given once.
///
/// A malformed value is remembered as such, so that the option does not count as missing.
pub(crate) struct Slot<T>(Option<Result<T, Reported>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Slot<T> {
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The value, if the option is given.
    pub(crate) fn get(&self) -> Result<Option<&T>, Reported> {
        self.0.as_ref().map(Result::as_ref).transpose().map_err(|&reported| reported)
    }

    /// The same by value.
    pub(super) fn into_value(self) -> Result<Option<T>, Reported> {
        self.0.transpose()
    }

    /// The value as a setting of the option's name, if the option is given.
    pub(super) fn setting<'a>(
        &'a self,
        name: &'static str,
    ) -> Result<Option<(&'static str, Setting<'a>)>, Reported>
    where
        &'a T: Into<Setting<'a>>,
    {
        Ok(self.get()?.map(|value| (name, value.into())))
    }
}

impl<T> Argument<T> for Slot<T> {
    fn accept(
        &mut self,
        name: &Name,
        value: syn::Result<T>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        if self.0.is_some() {
            let twice = format!("`{}` is given twice; keep one", name.text);
            return Err(diagnostics.report(name.error(twice)));
        }
        let value = value.map_err(|error| diagnostics.report(error));
        read(self.0.insert(value))
    }
}

/// The values of an option that can be given several times. A malformed value counts as one.
pub(crate) struct List<T>(Vec<Result<T, Reported>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    /// Appends `value`, or reports why there is none.
    pub(super) fn push(
        &mut self,
        value: syn::Result<T>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        let value = value.map_err(|error| diagnostics.report(error));
        let read = read(&value);
        self.0.push(value);
        read
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Result<T, Reported>> {
        self.0.iter()
    }
}

impl<T> Argument<T> for List<T> {
    fn accept(
        &mut self,
        _: &Name,
        value: syn::Result<T>,
        diagnostics: &Diagnostics,
    ) -> Result<(), Reported> {
        self.push(value, diagnostics)
    }
}

/// Whether there is a value.
fn read<T>(value: &Result<T, Reported>) -> Result<(), Reported> {
    value.as_ref().map(drop).map_err(|&reported| reported)
}
