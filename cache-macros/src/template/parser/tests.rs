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
        ("u:<name:lower>/<a.b:trim>", "u: <name:lower> / <a.b:trim>"),
        ("<name:trim:lower>:<name:lower:trim:hash>", "<name:trim:lower> : <name:lower:trim:hash>"),
        ("d:<day:display>/<a.b:display:lower:hash>", "d: <day:display> / <a.b:display:lower:hash>"),
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
        ("<id:hex>", "there are `<id:display>`, `<id:lower>`, `<id:trim>` and `<id:hash>`"),
        ("<a.b:upper>", "`:upper` is unknown; there are `<a.b:display>`, `<a.b:lower>`"),
        ("<id:>", "`:` is unknown"),
        ("<id:lower:>", "`:` is unknown"),
        ("<id:Lower>", "`:Lower` is unknown"),
        ("<id:lower:lower>", "`:lower` is given twice: write `<id:lower>`"),
        ("<id:hash:hash>", "`:hash` is given twice"),
        ("<id:hash:lower>", "write `<id:lower:hash>`"),
        ("<id:lower:display>", "write `<id:display:lower>`"),
        ("<id:hash:display>", "write `<id:display:hash>`"),
        ("<id:display:display>", "`:display` is given twice"),
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
    for (text, kind, problem) in [
        ("~tag:a", Kind::Key, "that of a tag"),
        ("wb:{users:<id>}", Kind::Key, "that of a queue"),
        ("user:<id>!r", Kind::Key, "another entry's refresh"),
        ("", Kind::Tag, "the tag is empty"),
    ] {
        let problems = read(text, kind).unwrap_err();
        assert!(problems[0].contains(problem), "{text}: {problems:?}");
    }
    assert!(read("~tag:*", Kind::Pattern).is_ok() && read("~", Kind::Tag).is_ok());
    assert!(read("wb:<id>!x", Kind::Key).is_ok() && read("a!r", Kind::Tag).is_ok());
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
