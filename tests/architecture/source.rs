//! One source file: what it imports, which types it has, and what it says of tests.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path that a file names, from `crate`, `self` or `super` on.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name by which the file exports it, if it does.
    pub(crate) exported_as: Option<String>,
    pub(crate) is_use: bool,
}

/// A file of a crate.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) imports: Vec<Import>,
    /// The types that the whole crate can see, or more than that.
    pub(crate) types: Vec<String>,
    /// The child modules that are there for tests alone.
    pub(crate) tests: Vec<String>,
    /// Other items that are there for tests alone.
    pub(crate) test_items: usize,
    /// Public async functions whose documentation does not say what it means to drop the future.
    pub(crate) silent: Vec<String>,
    /// How many columns each line has; none for what cannot be broken.
    pub(crate) lines: Vec<usize>,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let tokens = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let lines = text.lines().map(width).collect();
        let mut source = Self { lines, silent: silent(text), ..Self::default() };
        source.read(&tokens.into_iter().collect::<Vec<_>>());
        source
    }

    fn read(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at] {
                TokenTree::Punct(hash) if hash.as_char() == '#' => self.attribute(&tokens[at..]),
                TokenTree::Ident(word) if word == "use" => {
                    let end = at + length_to(&tokens[at..], ';');
                    let is_public = is_public(&tokens[..at]);
                    for (path, alias) in leaves(&tokens[at + 1..end]) {
                        let last = path.last().cloned();
                        let exported_as = alias.or(last).filter(|_| is_public);
                        self.import(path, exported_as, true);
                    }
                    end - at
                }
                TokenTree::Ident(word) if is_root(&word.to_string()) => {
                    let path = path(&tokens[at..]);
                    let length = 3 * path.len() - 2;
                    if path.len() > 1 {
                        self.import(path, None, false);
                    }
                    length
                }
                TokenTree::Ident(word)
                    if ["struct", "enum", "trait", "union"]
                        .contains(&word.to_string().as_str())
                        && is_crate_visible(&tokens[..at]) =>
                {
                    // A macro may have a parameter for the name.
                    let name = tokens.get(at + 1).map(ToString::to_string);
                    self.types.extend(name.filter(|name| name != "$"));
                    1
                }
                TokenTree::Group(group) => {
                    self.read(&group.stream().into_iter().collect::<Vec<_>>());
                    1
                }
                _ => 1,
            };
        }
    }

    fn import(&mut self, path: Vec<String>, exported_as: Option<String>, is_use: bool) {
        if path.first().is_some_and(|root| is_root(root)) {
            self.imports.push(Import { path, exported_as, is_use });
        }
    }

    /// The number of tokens of an attribute, and of the item behind it if that is for tests alone.
    fn attribute(&mut self, tokens: &[TokenTree]) -> usize {
        let Some(TokenTree::Group(attribute)) = tokens.get(1) else { return 1 };
        if !is_for_tests(&attribute.stream()) {
            return 2;
        }
        let is_module = |token: &TokenTree| matches!(token, TokenTree::Ident(it) if it == "mod");
        let header = tokens.iter().take(14).position(is_module);
        let before = &tokens[..header.unwrap_or_default()];
        let is_item =
            |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ';');
        match header {
            Some(at) if !before.iter().any(is_item) && is_header(before) => {
                self.tests.extend(tokens.get(at + 1).map(ToString::to_string));
                at + 3
            }
            _ => {
                self.test_items += 1;
                2
            }
        }
    }
}

/// The public async functions without a section about cancel safety.
fn silent(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut documentation = String::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(function) = line.strip_prefix("pub async fn ")
            && !documentation.contains("# Cancel safety")
        {
            found.extend(function.split(['(', '<']).next().map(ToOwned::to_owned));
        }
        if line.starts_with("///") {
            documentation.push_str(line);
        } else if !line.starts_with("#[") {
            documentation.clear();
        }
    }
    found
}

/// The columns of a line. A row of a table cannot be broken, nor what an example hides.
fn width(line: &str) -> usize {
    let comment = line.trim_start().trim_start_matches(['/', '!']).trim_start();
    let is_whole = comment.len() < line.trim_start().len()
        && (comment.starts_with('|') || comment.starts_with("# "));
    if is_whole { 0 } else { line.chars().count() }
}

/// Whether these are attributes and a visibility.
fn is_header(tokens: &[TokenTree]) -> bool {
    tokens.iter().all(|token| match token {
        TokenTree::Punct(it) => it.as_char() == '#',
        TokenTree::Ident(it) => it == "pub",
        TokenTree::Group(it) => it.delimiter() != Delimiter::Brace,
        TokenTree::Literal(_) => false,
    })
}

/// Whether an attribute is a `cfg` that holds in tests, or in a copy with mutants.
fn is_for_tests(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    let is_cfg = text.starts_with("cfg(");
    let words =
        |word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == word);
    is_cfg && (words("test") || words("cache_mutants")) && !text.contains("not(test")
}

fn is_root(word: &str) -> bool {
    ["crate", "self", "super"].contains(&word)
}

/// Whether what follows these tokens is visible elsewhere.
fn is_public(before: &[TokenTree]) -> bool {
    let is_pub = |token: &TokenTree| matches!(token, TokenTree::Ident(it) if it == "pub");
    match before {
        [.., last] if is_pub(last) => true,
        [.., word, TokenTree::Group(_)] => is_pub(word),
        _ => false,
    }
}

/// Whether it is visible in all of the crate, at least.
fn is_crate_visible(before: &[TokenTree]) -> bool {
    match before.last() {
        Some(TokenTree::Group(scope)) => is_public(before) && scope.stream().to_string() == "crate",
        _ => is_public(before),
    }
}

fn length_to(tokens: &[TokenTree], end: char) -> usize {
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == end);
    tokens.iter().position(is_end).unwrap_or(tokens.len())
}

/// The path at the beginning of these tokens.
fn path(tokens: &[TokenTree]) -> Vec<String> {
    let mut segments = Vec::new();
    for chunk in tokens.chunks(3) {
        let [TokenTree::Ident(segment), rest @ ..] = chunk else { break };
        segments.push(segment.to_string());
        let is_colon =
            |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ':');
        if rest.len() < 2 || !rest.iter().all(is_colon) {
            break;
        }
    }
    segments
}

/// The paths of a tree of imports, each with its alias.
fn leaves(tokens: &[TokenTree]) -> Vec<(Vec<String>, Option<String>)> {
    let mut prefix = Vec::new();
    let mut alias = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                alias = tokens.get(at + 1).map(ToString::to_string);
                at += 1;
            }
            TokenTree::Ident(word) if word == "self" && !prefix.is_empty() => {}
            TokenTree::Ident(word) => prefix.push(word.to_string()),
            TokenTree::Punct(it) if it.as_char() == '*' => prefix.push("*".to_owned()),
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let is_comma =
                    |it: &TokenTree| matches!(it, TokenTree::Punct(p) if p.as_char() == ',');
                return inner
                    .split(is_comma)
                    .filter(|branch| !branch.is_empty())
                    .flat_map(leaves)
                    .map(|(path, alias)| {
                        let own = path.into_iter().filter(|it| it != "self");
                        (prefix.iter().cloned().chain(own).collect(), alias)
                    })
                    .collect();
            }
            _ => {}
        }
        at += 1;
    }
    vec![(prefix, alias)]
}
