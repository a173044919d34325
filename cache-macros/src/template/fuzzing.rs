//! What must hold for any template.

use proc_macro2::Span;
use syn::LitStr;

use super::{Kind, RESERVED, Segment, Template, parse};

/// Reading it does not panic, and a template that is accepted says what it was written as, with
/// placeholders whose ends are plain.
pub(crate) fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for kind in [Kind::Key, Kind::Tag, Kind::Pattern] {
        let (segments, problems) = parse(&text, kind);
        let accepted = Template::parse(LitStr::new(&text, Span::call_site()), kind).is_ok();
        assert_eq!(accepted, problems.is_empty());
        if accepted {
            assert!(!segments.is_empty());
            assert_eq!(segments.iter().map(written).collect::<String>(), text);
            segments.windows(2).for_each(|pair| check_end(&pair[0], &pair[1]));
        }
    }
}

/// As it stands in a template.
fn written(segment: &Segment) -> String {
    match segment {
        Segment::Text(text) => text.replace('<', "<<").replace('>', ">>"),
        Segment::Placeholder(placeholder) => placeholder.name(),
    }
}

/// Text follows a placeholder, beginning with what no value contains or with what is escaped in
/// this one.
fn check_end(segment: &Segment, next: &Segment) {
    match (segment, next) {
        (Segment::Placeholder(placeholder), Segment::Text(text)) => {
            assert_eq!(placeholder.next, text.chars().next());
            let reserved = text.starts_with(|c| RESERVED.contains(c));
            assert_eq!(placeholder.ambiguous_next().is_none(), reserved);
            assert!(!text.starts_with(|c: char| c.is_ascii_hexdigit() || c == '%'));
        }
        (before, after) => assert!(
            matches!((before, after), (Segment::Text(_), Segment::Placeholder(_))),
            "two of a kind: {before:?} {after:?}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::template;

    /// Each file as it is, cut short, and with each bit flipped.
    #[test]
    fn corpus() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/template");
        let mut files = 0;
        for file in fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            // Shown if the test fails.
            println!("{}", path.display());
            let mut data = fs::read(path).unwrap();
            files += 1;
            (0..=data.len()).for_each(|length| template(&data[..length]));
            for bit in 0..data.len() * 8 {
                data[bit / 8] ^= 1 << (bit % 8);
                template(&data);
                data[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert!(files >= 5, "{files} files");
    }

    /// Every text of up to five of the characters that mean something, and of one of those that do
    /// not.
    #[test]
    fn every_short_template() {
        fn extend(text: &mut String, room: usize) {
            template(text.as_bytes());
            if room > 0 {
                for character in "<>{}:.*gß".chars() {
                    text.push(character);
                    extend(text, room - 1);
                    text.pop();
                }
            }
        }
        extend(&mut String::new(), 5);
    }
}
