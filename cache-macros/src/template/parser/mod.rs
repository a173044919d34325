//! Parses a template, and reports everything that is wrong with it.

#[cfg(test)]
mod tests;

use super::{Change, Kind, Placeholder, Segment, options};

/// The segments of `text`, and its mistakes.
pub(super) fn parse(text: &str, kind: Kind) -> (Vec<Segment>, Vec<String>) {
    let mut parser = Parser { kind, segments: Vec::new(), problems: Vec::new() };
    if text.is_empty() {
        parser.problem(match kind {
            Kind::Tag => "the tag is empty; write something like `\"org:<org_id>\"`",
            _ => "the key is empty; write something like `\"user:<id>\"`",
        });
    }
    if kind == Kind::Key {
        parser.kept_for_others(text);
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

    /// Keys of the cache's own.
    fn kept_for_others(&mut self, text: &str) {
        if text.starts_with('~') {
            self.problem(
                "a key that begins with `~` could be that of a tag; begin with another character",
            );
        }
        if text.starts_with("wb:{") {
            self.problem(
                "a key that begins with `wb:{` could be that of a queue; begin with another word",
            );
        }
        if text.ends_with("!r") {
            self.problem(
                "a key that ends in `!r` could be the one that another entry's refresh is leased \
                 by; end with other characters",
            );
        }
        if text.ends_with("!s") {
            self.problem(
                "a key that ends in `!s` could be the one that holds another entry's value of \
                 another release; end with other characters",
            );
        }
    }

    fn placeholder(&mut self, inside: &str) {
        let (path, given) = match inside.split_once(':') {
            Some((path, given)) => (path, Some(given)),
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
        }
        let (changes, hash) = self.options(path, given);
        let placeholder = Placeholder { root, fields, changes, hash, next: None };
        if let Some(Segment::Placeholder(before)) = self.segments.last() {
            let (before, after) = (before.name(), placeholder.name());
            self.problem(format!(
                "nothing stands between `{before}` and `{after}`, so different values could give \
                 the same key; write `{before}:{after}`"
            ));
        }
        self.segments.push(Segment::Placeholder(placeholder));
    }

    /// What follows the path of a placeholder, `display:trim:lower`.
    fn options(&mut self, path: &str, given: Option<&str>) -> (Vec<Change>, bool) {
        let (mut changes, mut hash, mut in_order) = (Vec::new(), false, true);
        for option in given.into_iter().flat_map(|given| given.split(':')) {
            let change = match option {
                "display" => Change::Display,
                "trim" => Change::Trim,
                "lower" => Change::Lower,
                "hash" if !hash => {
                    hash = true;
                    continue;
                }
                "hash" => {
                    self.problem(format!("`:hash` is given twice: write `<{path}:hash>`"));
                    continue;
                }
                unknown => {
                    self.problem(format!(
                        "`:{unknown}` is unknown; there are `<{path}:display>`, `<{path}:lower>`, \
                         `<{path}:trim>` and `<{path}:hash>`"
                    ));
                    continue;
                }
            };
            in_order &= !hash;
            if changes.contains(&change) {
                self.problem(format!("`:{option}` is given twice: write `<{path}:{option}>`"));
            } else {
                changes.push(change);
            }
        }
        if let Some(at @ 1..) = changes.iter().position(|&change| change == Change::Display) {
            let display = changes.remove(at);
            changes.insert(0, display);
            let options = options(&changes, hash);
            self.problem(format!(
                "`:display` makes the text that the others change: write `<{path}{options}>`"
            ));
        }
        if !in_order {
            let options = options(&changes, true);
            self.problem(format!("a hash cannot be changed any more: write `<{path}{options}>`"));
        }
        (changes, hash)
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
            _ => self.problem(
                "a key has at most one hash tag `{..}`, without braces inside; a value is written \
                 `<id>`",
            ),
        }
    }

    /// A mistake that is made twice is reported once.
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
