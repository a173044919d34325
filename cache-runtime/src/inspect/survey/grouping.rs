//! Which keys look alike.
//!
//! A key is cut at its colons. A part that shows that it is a value (it has a digit, an escape or
//! another mark of one, or is long) differs from key to key, and so does one in whose place more
//! than [`SIBLINGS`] different words have been seen.

use std::collections::{HashMap, HashSet};

use crate::inspect::survey::summary::{Survey, SurveyGroup};
use crate::record::Described;
use crate::store::Inspected;

/// More different words than these in one place are values.
const SIBLINGS: usize = 32;
/// A longer part is a value.
const LONGEST: usize = 40;
/// So many parts are looked at, and what is behind them is one more.
const PARTS: usize = 8;
/// Most groups.
const GROUPS: usize = 1000;

/// A part that differs.
const OPEN: &str = "<>";
/// The group of what no group is left for.
const REST: &str = "…";

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<String, SurveyGroup>,
    /// By what stands before them: the words that have been seen in a place, as long as they are
    /// not too many.
    words: HashMap<String, HashSet<String>>,
}

impl Groups {
    /// Counts a key.
    pub(super) fn add(&mut self, key: &str, found: &Described, seen: &Inspected, now_ms: u64) {
        let mut template = self.template(key);
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&template) {
            REST.clone_into(&mut template);
        }
        self.groups.entry(template).or_default().add(found, seen, now_ms);
    }

    /// The survey, now that it is known in which places there are values.
    pub(super) fn summed_up(mut self, looked_at: u64) -> Survey {
        let (mut total, mut merged) = (SurveyGroup::default(), HashMap::new());
        for (template, group) in std::mem::take(&mut self.groups) {
            let template = if template == REST { template } else { self.template(&template) };
            total.merge(&group);
            let one = || SurveyGroup { template: template.clone(), ..SurveyGroup::default() };
            merged.entry(template.clone()).or_insert_with(one).merge(&group);
        }
        let mut groups: Vec<_> = merged.into_values().collect();
        groups.sort_by(|one, other| {
            other.bytes.cmp(&one.bytes).then_with(|| one.template.cmp(&other.template))
        });
        Survey { looked_at, total, groups }
    }

    /// What a key, or a template of keys, looks like as far as is known.
    fn template(&mut self, key: &str) -> String {
        let mut template = String::with_capacity(key.len());
        for (at, part) in key.splitn(PARTS, ':').enumerate() {
            if at > 0 {
                template.push(':');
            }
            let is_word = is_word(part) && self.is_one_of_few(&template, part);
            template.push_str(if is_word { part } else { OPEN });
        }
        template
    }

    /// Whether few words have been seen in the place of this one.
    fn is_one_of_few(&mut self, before: &str, word: &str) -> bool {
        if !self.words.contains_key(before) && self.words.len() >= GROUPS {
            return false;
        }
        let words = self.words.entry(before.to_owned()).or_default();
        if words.len() <= SIBLINGS && !words.contains(word) {
            words.insert(word.to_owned());
        }
        words.len() <= SIBLINGS
    }
}

/// Whether a part can be one of a template.
fn is_word(part: &str) -> bool {
    part.len() <= LONGEST && !part.contains(|c: char| c.is_ascii_digit() || "%<>@.:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let seen = Inspected {
            data_type: "string".to_owned(),
            head: bytes::Bytes::new(),
            size: Some(1),
            left: None,
            is_distrusted: false,
        };
        let mut groups = Groups::default();
        let mut count = 0;
        for key in keys {
            groups.add(key, &Described::Foreign, &seen, 0);
            count += 1;
        }
        let survey = groups.summed_up(0);
        assert_eq!((survey.total.others, survey.total.keys()), (count, count));
        let mut templates: Vec<_> = survey.groups.into_iter().map(|it| it.template).collect();
        templates.sort();
        templates
    }

    /// A word for each number.
    fn word(number: usize) -> String {
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
    }

    #[test]
    fn values_are_told_from_words() {
        assert_eq!(
            templates([
                "user:7",
                "user:8",
                "user:7:name",
                "user:me%40here:name",
                "config",
                "~tag:org:7",
                "session:6fa459ea-ee8a-3ca4-894e-db77e160355e",
            ]),
            ["config", "session:<>", "user:<>", "user:<>:name", "~tag:org:<>"]
        );
    }

    #[test]
    fn many_words_in_one_place_are_values() {
        let few: Vec<_> = (0..SIBLINGS).map(|n| format!("user:{}", word(n))).collect();
        assert_eq!(templates(few.iter().map(String::as_str)).len(), SIBLINGS);
        let many: Vec<_> = (0..200).map(|n| format!("user:{}:name", word(n))).collect();
        assert_eq!(templates(many.iter().map(String::as_str)), ["user:<>:name"]);
    }

    #[test]
    fn memory_is_bounded_whatever_keys_there_are() {
        let keys: Vec<_> =
            (0..20_000).map(|n| format!("{}:{}", "a:".repeat(n % 20), word(n))).collect();
        assert!(templates(keys.iter().map(String::as_str)).len() <= GROUPS + 1);
    }
}
