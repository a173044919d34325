//! Which lines of a compiler's output this library has written.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

/// The crates whose text rustc shows.
const SOURCES: [&str; 2] = ["cache-macros/src", "cache-runtime/src"];

/// The fewest characters of a text that is told from others by its words.
const FEWEST: usize = 12;

/// The fewest of one that is also recognised as a part of a message.
const FEWEST_OF_A_PART: usize = 20;

/// The texts in the sources of the library: a line is its own if one of them says it.
pub(crate) struct Own(Vec<Text>);

/// What stands before, between and after the placeholders of a text: `there is no option {}`.
struct Text(Vec<String>);

impl Own {
    pub(crate) fn of_the_sources() -> Self {
        let mut texts = Vec::new();
        for sources in SOURCES {
            read(Path::new(sources), &mut texts);
        }
        // Some are format strings, and in others a brace is a brace.
        let of_formats = texts.iter().filter_map(|text| Text::new(placeholders(text)?));
        let plain = texts.iter().filter_map(|text| Text::new(vec![text.clone()]));
        Self(of_formats.chain(plain).collect())
    }

    /// The library's own lines in the output of a compiler, without what rustc puts around them.
    pub(crate) fn lines(&self, output: &str) -> Vec<String> {
        let messages = output.lines().filter_map(message);
        messages.filter(|message| self.has_written(message)).map(str::to_owned).collect()
    }

    pub(crate) fn has_written(&self, message: &str) -> bool {
        self.0.iter().any(|text| text.says(message))
    }

    /// What of its own lines the library does not say about a case any more.
    pub(crate) fn differences(&self, case: &str, messages: &str, output: &str) -> Vec<String> {
        if !output.lines().any(|line| line.starts_with("error")) {
            return vec![format!("tests/ui/{case}.rs compiles")];
        }
        let mut said = HashMap::<_, usize>::new();
        for line in self.lines(output) {
            *said.entry(line).or_default() += 1;
        }
        let mut lost = self.lines(messages);
        lost.retain(|line| match said.get_mut(line) {
            Some(times @ 1..) => {
                *times -= 1;
                false
            }
            _ => true,
        });
        let told = |line| format!("tests/ui/{case}.rs: rustc does not say: {line}");
        lost.into_iter().map(told).collect()
    }
}

impl Text {
    /// `None` where it has too few words of its own.
    fn new(parts: Vec<String>) -> Option<Self> {
        let worded = parts.iter().any(|part| part.trim().contains(' '));
        let text = Self(parts);
        (text.length() >= FEWEST && worded).then_some(text)
    }

    fn length(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }

    fn says(&self, message: &str) -> bool {
        let [first, others @ ..] = self.0.as_slice() else { return false };
        let is_part = self.length() >= FEWEST_OF_A_PART;
        let Some(at) = message.find(first.as_str()).filter(|&at| is_part || at == 0) else {
            return false;
        };
        let mut rest = &message[at + first.len()..];
        for (index, part) in others.iter().enumerate() {
            let is_last = index + 1 == others.len() && !is_part;
            let at = if is_last { rest.rfind(part.as_str()) } else { rest.find(part.as_str()) };
            let Some(at) = at else { return false };
            rest = &rest[at + part.len()..];
        }
        is_part || rest.is_empty()
    }
}

/// What stands around the placeholders of a format string; `None` if it is none.
fn placeholders(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                parts.last_mut()?.push(c);
            }
            '{' => {
                rest.by_ref().find(|&c| c == '}')?;
                parts.push(String::new());
            }
            c => parts.last_mut()?.push(c),
        }
    }
    Some(parts)
}

/// The text of a message, of a note or of a label.
fn message(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(label) = line.strip_prefix('|') {
        return Some(label.trim_start_matches(['|', '^', '-', '_', ' ']));
    }
    let line = line.strip_prefix("= ").unwrap_or(line);
    let (kind, text) = line.split_once(": ")?;
    let known = ["error", "warning", "note", "help"].iter().any(|it| kind.starts_with(it));
    known.then_some(text)
}

/// The string literals of all files in `folder`.
fn read(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let tokens = fs::read_to_string(&path).unwrap().parse().unwrap();
            literals(tokens, texts);
        }
    }
}

fn literals(tokens: TokenStream, texts: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => literals(group.stream(), texts),
            TokenTree::Literal(literal) => {
                let text = syn::parse_str(&literal.to_string()).map(|text: LitStr| text.value());
                // Documentation begins with a space.
                texts.extend(text.ok().filter(|text| !text.starts_with(' ')));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}
