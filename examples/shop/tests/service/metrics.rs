//! What Prometheus is told, read as it reads it.

use std::collections::{BTreeMap, BTreeSet};

/// The samples of one scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Numbers by metric and labels, `name{label="value"}`.
    samples: BTreeMap<String, String>,
    /// By metric: `counter`, `gauge`, `histogram` or `summary`.
    pub(crate) types: BTreeMap<String, String>,
}

impl Metrics {
    /// Fails at a line that Prometheus would not take.
    pub(crate) fn parse(text: &str) -> Self {
        let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let kind = words.next();
                if kind == Some("EOF") {
                    continue;
                }
                let name = words.next().expect("the name of a metric");
                assert!(is_name(name), "{line}");
                match kind {
                    Some("TYPE") => {
                        let first = types.insert(name.to_owned(), words.next().unwrap().to_owned());
                        assert_eq!(first, None, "two types: {line}");
                    }
                    Some("HELP" | "UNIT") => {}
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().unwrap();
            assert!(is_name(name), "{line}");
            assert!(series == name || is_labels(&series[name.len()..]), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let first = samples.insert(series.to_owned(), value.to_owned());
            assert_eq!(first, None, "twice: {line}");
        }
        let metrics = Self { samples, types };
        for name in metrics.names() {
            assert!(metrics.type_of(&name).is_some(), "{name} has no type");
        }
        metrics
    }

    /// The names of all samples.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let name = |series: &String| series.split('{').next().unwrap().to_owned();
        self.samples.keys().map(name).collect()
    }

    /// How many of something there were, whatever their labels.
    pub(crate) fn count(&self, name: &str) -> u64 {
        let of_name = |series: &str| series.split('{').next() == Some(name);
        let of_name = self.samples.iter().filter(|(series, _)| of_name(series));
        of_name.map(|(_, number)| number.parse::<u64>().expect("a count")).sum()
    }

    fn type_of(&self, name: &str) -> Option<&String> {
        let parts =
            ["_bucket", "_sum", "_count", "_total"].iter().find_map(|end| name.strip_suffix(end));
        self.types.get(name).or_else(|| self.types.get(parts?))
    }
}

fn is_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|it| it.is_ascii_alphabetic())
        && text.chars().all(|it| it.is_ascii_alphanumeric() || "_:".contains(it))
}

/// `{a="b",c="d"}`, whose values have neither quotes nor backslashes in this service.
fn is_labels(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix("\"}"));
    inner.is_some_and(|inner| {
        inner.split("\",").all(|label| {
            let label = label.split_once("=\"");
            label.is_some_and(|(name, value)| is_name(name) && !value.contains(['"', '\\']))
        })
    })
}

#[test]
fn what_is_no_sample_is_refused() {
    for line in ["a", "a{b} 1", "a{b=\"c} 1", "1a 1", "a x", "# OTHER a b", "a 1"] {
        let refused = std::panic::catch_unwind(|| Metrics::parse(line)).is_err();
        assert!(refused, "{line:?} was taken");
    }
}
