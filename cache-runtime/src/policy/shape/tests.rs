//! Which templates can make the same key.

use crate::policy::shape::*;

#[test]
fn keys_that_can_be_equal() {
    for (one, other, expected) in [
        ("user:<any>", "user:<any>", true),
        ("user:<any>", "user:me", true),
        ("user:<any>", "user:me!", false),
        ("user:<int>", "user:me", false),
        ("user:<int>", "user:-7", true),
        ("user:<int>", "user:-", false),
        ("user:<int>", "user:", false),
        ("user:<any>", "user:", true),
        ("user:<any>", "user:<any>:posts", false),
        ("<any>:posts", "user:<any>", true),
        ("user:<uuid>", "user:<uuid>", true),
        ("user:<int>", "user:<uuid>", false),
        ("user:<uuid>", "user:<hash>", false),
        ("user:<int>", "user:<hash>", false),
        ("user:<wide>", "user:<hash>", true),
        ("user:<any>", "user:<hash>", true),
        ("user:<hash>", "user:0123456789abcdef0123456789abcdef", true),
        ("user:<hash>", "user:0123456789abcdef", false),
        ("user:<bool>", "user:<int>", false),
        ("user:<bool>", "user:false", true),
        ("user:<bool>", "user:fall", false),
        ("user:<bool>", "user:<any>", true),
        ("user:<int>-<int>", "user:<int>", false),
        ("user:<int>-<int>", "user:%2D7--8", true),
        ("user:<any>/<any>", "user:<any>-<any>", true),
        ("user:<any before />/", "user:<any before />/<any before />/", false),
        ("user:<any before />/", "user:a/", true),
        ("a<<b", "a<any>", true),
        ("a<<b", "a<any>c", false),
        ("{<any>}:a", "{<any>}:b", false),
        ("{<any>}:a", "<any>:a", false),
        ("<type>:<int>", "org:<int>", false),
        ("<type>:<int>", "my_crate%3A%3AOrg:<int>", true),
        ("<type>:<int>", "u64:<int>", true),
        ("<self>:<int>", "org:<int>", false),
    ] {
        let shape = |text| Shape::of_key(text, None);
        assert_eq!(shape(one).meets(&shape(other)), expected, "{one} {other}");
        assert_eq!(shape(other).meets(&shape(one)), expected, "{other} {one}");
    }
}

#[test]
fn what_the_place_tells() {
    let place = |text, name| Place::of(text, name, name);
    let org = place("shop::Org::find_key::__CALLSITE::{{closure}}", "find");
    let user = place("shop::User::find_key::__CALLSITE::{{closure}}", "find");
    let generic = place("shop::Repo<_>::find_key::__CALLSITE::{{closure}}", "find");
    for (one, other, expected) in [
        (("<self>:<int>", &org), ("<self>:<int>", &user), false),
        (("<self>:<int>", &org), ("<self>:<int>", &org), true),
        (("<origin>:<int>", &org), ("<origin>:<int>", &user), false),
        (("<origin>:<int>", &org), ("<origin>:<any>", &org), true),
        (("<origin>:<int>", &org), ("shop::Org::find:<any>", &user), true),
        (("<self>:<int>", &generic), ("<self>:<int>", &user), false),
        (("<self>:<int>", &generic), ("shop%3A%3ARepo%3Cu8%3E:7", &user), true),
        (("<self>:<int>", &generic), ("shop%3A%3ARepo:7", &user), false),
    ] {
        let shape = |(text, place)| Shape::of_key(text, Some(place));
        assert_eq!(shape(one).meets(&shape(other)), expected, "{one:?} {other:?}");
    }
}

#[cfg(feature = "catalog")]
#[test]
fn patterns_match_across_segments() {
    for (pattern, key, expected) in [
        ("user:*", "user:<any>:posts", true),
        ("user:?", "user:<int>", true),
        ("user:[ab]:x", "user:<any>:x", true),
        ("user:[ab]:x", "user:<int>:y", false),
        (r"user:\*", "user:<any>", false),
        ("user:<int>:*", "user:<any>:posts", true),
        ("user:<int>:*", "user:<any>", false),
        ("*", "anything:<any>:<any>", true),
    ] {
        let meets = Shape::of_pattern(pattern, None).meets(&Shape::of_key(key, None));
        assert_eq!(meets, expected, "{pattern} {key}");
    }
}
