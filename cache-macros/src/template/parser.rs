//! Parses a template, and reports everything that is wrong with it.

use super::{Kind, Placeholder, Segment};

/// The segments of `text`, and its mistakes.
pub(super) fn parse(text: &str, kind: Kind) -> (Vec<Segment>, Vec<String>) {
    let mut parser = Parser { kind, segments: Vec::new(), problems: Vec::new() };
    if text.is_empty() {
        parser.problem(match kind {
            Kind::Tag => "the tag is empty; write something like `\"org:<org_id>\"`",
            _ => "the key is empty; write something like `\"user:<id>\"`",
        });
    }
    if text.starts_with('~') && kind == Kind::Key {
        parser.problem(
            "a key that begins with `~` could be that of a tag; begin with another character",
        );
    }
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = parser.next(character, rest);
    }
    parser.hash_tag();
    (parser.segments, parser.problems)
}

struct Parser {
    kind: Kind,
    segments: Vec<Segment>,
    problems: Vec<String>,
}

impl Parser {
    /// Takes one piece off `rest`, which begins with `character`.
    fn next<'a>(&mut self, character: char, rest: &'a str) -> &'a str {
        let tail = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '<' | '>' if tail.starts_with(character) => {
                self.push(character);
                tail.get(1..).unwrap_or_default()
            }
            '<' => match tail.split_once('>') {
                Some((inside, tail)) if !inside.contains('<') => {
                    self.placeholder(inside);
                    tail
                }
                _ => {
                    let end = tail.find(|c: char| !in_path(c)).unwrap_or(tail.len());
                    let (name, tail) = tail.split_at(end);
                    let name = if name.is_empty() { "id" } else { name };
                    self.problem(format!(
                        "`<` is never closed; write `<{name}>`, or `<<` for a literal `<`"
                    ));
                    tail
                }
            },
            '>' => {
                self.problem("`>` closes nothing; write `>>` for a literal `>`");
                tail
            }
            _ => {
                self.text(character);
                tail
            }
        }
    }

    fn placeholder(&mut self, inside: &str) {
        let (path, option) = match inside.split_once(':') {
            Some((path, option)) => (path, Some(option)),
            None => (inside, None),
        };
        let mut names = path.split('.').map(str::to_owned);
        let root = names.next().unwrap_or_default();
        let fields: Vec<_> = names.collect();
        if let Some(name) = inside.strip_prefix("r#") {
            self.problem(format!("a placeholder needs no `r#`: write `<{name}>`"));
        } else if inside.is_empty() {
            self.problem(
                "`<>` is empty; put a parameter's name into it, or write `<<>>` for a literal `<>`",
            );
        } else if !is_name(&root) || !fields.iter().all(|name| is_name(name) || is_index(name)) {
            self.problem(format!(
                "`<{inside}>` is no placeholder: that is a parameter or fields of it, as `<id>` or \
                 `<user.id>`; for anything else use `key = expression`"
            ));
        } else if let Some(unknown) = option.filter(|&option| option != "hash") {
            self.problem(format!("`:{unknown}` is unknown; there is only `<{path}:hash>`"));
        }
        let placeholder = Placeholder { root, fields, hash: option.is_some(), next: None };
        if let Some(Segment::Placeholder(before)) = self.segments.last() {
            let (before, after) = (before.name(), placeholder.name());
            self.problem(format!(
                "nothing stands between `{before}` and `{after}`, so different values could give \
                 the same key; write `{before}:{after}`"
            ));
        }
        self.segments.push(Segment::Placeholder(placeholder));
    }

    fn text(&mut self, character: char) {
        if character.is_whitespace() || character.is_control() {
            self.problem(format!("{character:?} cannot be part of a key; use `:` or `_`"));
        } else if character == '*' && self.kind != Kind::Pattern {
            self.problem(
                "`*` cannot be part of a key, where it would name only itself; many keys are named \
                 by `#[invalidates(pattern = \"..\")]`",
            );
        }
        self.push(character);
    }

    fn push(&mut self, character: char) {
        match self.segments.last_mut() {
            Some(Segment::Text(text)) => return text.push(character),
            Some(Segment::Placeholder(placeholder)) => {
                placeholder.next = Some(character);
                let name = placeholder.name();
                self.boundary(&name, character);
            }
            None => {}
        }
        self.segments.push(Segment::Text(character.into()));
    }

    /// Where the value of `name` ends must be plain from the key itself.
    fn boundary(&mut self, name: &str, next: char) {
        if next.is_ascii_hexdigit() || next == '%' || next == '<' {
            self.problem(format!(
                "`{next}` right after `{name}` could be part of its value; write `{name}:{next}`"
            ));
        } else if self.kind == Kind::Pattern && "*?[\\".contains(next) {
            self.problem(format!(
                "`{name}{next}` also matches longer values of `{name}`; write `{name}:{next}`"
            ));
        }
    }

    /// Redis Cluster hashes what stands between the first `{` and the next `}`, if anything does.
    fn hash_tag(&mut self) {
        let shape: String = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.replace(|c| c != '{' && c != '}', "."),
                Segment::Placeholder(_) => ".".to_owned(),
            })
            .collect();
        match shape.replace('.', "").as_str() {
            "" => {}
            "{}" if !shape.contains("{}") => {}
            "{}" => self.problem("the hash tag `{}` is empty; a value is written `<id>`"),
            "{" => self.problem("`{` begins a hash tag that is never closed; add a `}`"),
            "}" => self.problem("`}` ends a hash tag that never began; add a `{`"),
            _ => self.problem("a key has at most one hash tag `{..}`, without braces inside"),
        }
    }

    /// The same mistake made twice is told once.
    fn problem(&mut self, problem: impl Into<String>) {
        let problem = problem.into();
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

fn in_path(character: char) -> bool {
    character == '_' || character == '.' || character.is_alphanumeric()
}

fn is_name(text: &str) -> bool {
    // `self` is a name here, unlike for syn.
    text.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_alphanumeric())
        && text != "_"
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The segments in a form that is short to write: text as it is, placeholders in `<>`.
    fn read(text: &str, kind: Kind) -> Result<String, Vec<String>> {
        let (segments, problems) = parse(text, kind);
        if !problems.is_empty() {
            return Err(problems);
        }
        let show = |segment: &Segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Placeholder(placeholder) => placeholder.name(),
        };
        Ok(segments.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn templates() {
        for (text, segments) in [
            ("all", "all"),
            ("user:<id>", "user: <id>"),
            ("<id>", "<id>"),
            ("<a>:<b>", "<a> : <b>"),
            ("v2/<user.id>/<pair.0>", "v2/ <user.id> / <pair.0>"),
            ("q:<filter:hash>", "q: <filter:hash>"),
            ("<self.tenant>|<größe>", "<self.tenant> | <größe>"),
            ("{<tenant>}:user:<id>", "{ <tenant> }:user: <id>"),
            ("{users}:<id>", "{users}: <id>"),
            ("a<<b>>c", "a<b>c"),
            ("<a>>>", "<a> >"),
            ("items?page=<page>", "items?page= <page>"),
        ] {
            assert_eq!(read(text, Kind::Key).as_deref(), Ok(segments), "{text}");
        }
        assert_eq!(read("user:<id>:*", Kind::Pattern).as_deref(), Ok("user: <id> :*"));
    }

    #[test]
    fn mistakes() {
        for (text, problem) in [
            ("", "is empty"),
            ("a b", "' ' cannot be part of a key"),
            ("a\nb", "'\\n' cannot be part of a key"),
            ("user:<id", "write `<id>`"),
            ("user:<", "write `<id>`"),
            ("<a<b>", "write `<a>`"),
            ("user:id>", "write `>>`"),
            ("<>", "`<>` is empty"),
            ("<r#type>", "write `<type>`"),
            ("<id()>", "`<id()>` is no placeholder"),
            ("<a.>", "`<a.>` is no placeholder"),
            ("<a + b>", "is no placeholder"),
            ("<7>", "is no placeholder"),
            ("<_>", "is no placeholder"),
            ("<id:hex>", "there is only `<id:hash>`"),
            ("<a><b>", "write `<a>:<b>`"),
            ("<a>b", "write `<a>:b`"),
            ("<a>%", "write `<a>:%`"),
            ("<a><<", "write `<a>:<`"),
            ("user:*", "pattern"),
            ("{}:a", "is empty"),
            ("{<id>", "never closed"),
            ("<id>}", "never began"),
            ("}{", "at most one"),
            ("{a}{b}", "at most one"),
            ("{{a}}", "at most one"),
        ] {
            let problems = read(text, Kind::Key).unwrap_err();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(problem), "{text}: {problems:?}");
        }
        for (text, kind, problem) in
            [("~tag:a", Kind::Key, "that of a tag"), ("", Kind::Tag, "the tag is empty")]
        {
            let problems = read(text, kind).unwrap_err();
            assert!(problems[0].contains(problem), "{text}: {problems:?}");
        }
        assert!(read("~tag:*", Kind::Pattern).is_ok() && read("~", Kind::Tag).is_ok());
        let problems = read("user:<id>*", Kind::Pattern).unwrap_err();
        assert!(problems[0].contains("longer values"), "{problems:?}");
    }

    #[test]
    fn several_mistakes_are_all_told() {
        assert_eq!(read("a b c:<id:x>:<", Kind::Key).unwrap_err().len(), 3);
    }

    #[test]
    fn a_character_that_a_value_may_hold_is_ambiguous() {
        let (segments, _) = parse("<a>/<b>:<c>", Kind::Key);
        let next: Vec<_> = segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Text(_) => None,
                Segment::Placeholder(placeholder) => Some(placeholder.ambiguous_next()),
            })
            .collect();
        assert_eq!(next, [Some('/'), None, None]);
    }
}
